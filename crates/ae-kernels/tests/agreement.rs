//! Every kernel against its formulation in Burn's operations: values and all gradients, in f32 and in f64.
#![cfg(feature = "flex")]

mod numbers;

use ae_kernels::{Activation, Adam, Weight, plain};
use burn::tensor::{DType, Device, Tensor};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const ACTIVATIONS: [Activation; 5] = [
    Activation::Identity,
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Relu,
    Activation::LeakyRelu,
];

/// The largest difference between two ways to compute the same sum of about a hundred numbers of the order of 1.
fn tolerance(dtype: DType) -> f64 {
    if dtype == DType::F64 { 1e-12 } else { 2e-5 }
}

fn numbers<const D: usize>(shape: [usize; D], seed: u64, dtype: DType) -> Tensor<D> {
    numbers::numbers(shape, seed, dtype, &Device::flex())
}

fn close<const D: usize>(what: &str, ours: Tensor<D>, theirs: Tensor<D>) {
    assert_eq!(ours.dims(), theirs.dims(), "{what}");
    let allowed = tolerance(ours.dtype());
    let [ours, theirs] =
        [ours, theirs].map(|tensor| tensor.into_data().iter::<f64>().collect::<Vec<_>>());
    let scale = theirs.iter().fold(1.0f64, |most, value| most.max(value.abs()));
    for (at, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        let difference = (ours - theirs).abs();
        assert!(difference <= allowed * scale, "{what}, {at}: {ours} for {theirs}");
    }
}

/// Compares values and gradients of a function of three tensors. The output is weighted by random numbers, so that each
/// entry counts differently.
fn hold<const A: usize, const B: usize, const C: usize, const O: usize>(
    what: &str,
    [a, b, c]: [&dyn Fn() -> Leaf; 3],
    ours: &dyn Fn(Tensor<A>, Tensor<B>, Tensor<C>) -> Tensor<O>,
    theirs: &dyn Fn(Tensor<A>, Tensor<B>, Tensor<C>) -> Tensor<O>,
) {
    let run = |function: &dyn Fn(Tensor<A>, Tensor<B>, Tensor<C>) -> Tensor<O>| {
        let (a, b, c) = (a().grown::<A>(), b().grown::<B>(), c().grown::<C>());
        let output = function(a.clone(), b.clone(), c.clone());
        let weights = numbers(output.dims(), 77, output.dtype()).autodiff();
        let gradients = (output.clone() * weights).sum().backward();
        let gradient = (a.grad(&gradients), b.grad(&gradients), c.grad(&gradients));
        (output.inner(), gradient)
    };
    let (ours, theirs) = (run(ours), run(theirs));
    close(what, ours.0, theirs.0);
    let pairs = (ours.1, theirs.1);
    close(&format!("{what}: first gradient"), pairs.0.0.unwrap(), pairs.1.0.unwrap());
    close(&format!("{what}: second gradient"), pairs.0.1.unwrap(), pairs.1.1.unwrap());
    close(&format!("{what}: third gradient"), pairs.0.2.unwrap(), pairs.1.2.unwrap());
}

/// A random tensor: shape, seed, type.
struct Leaf(Vec<usize>, u64, DType);

impl Leaf {
    fn grown<const D: usize>(self) -> Tensor<D> {
        let shape: [usize; D] = self.0.try_into().expect("a shape of that rank");
        numbers(shape, self.1, self.2).autodiff().require_grad()
    }
}

fn types() -> impl Strategy<Value = DType> {
    prop::sample::select(vec![DType::F32, DType::F64])
}

fn activations() -> impl Strategy<Value = Activation> {
    prop::sample::select(ACTIVATIONS.to_vec())
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { rng_seed: RngSeed::Fixed(7), ..ProptestConfig::with_cases(cases) }
}

proptest! {
    #![proptest_config(config(96))]

    #[test]
    fn linear(
        dtype in types(), after in activations(), transposed: bool,
        batch in 1usize..70, from in 1usize..90, to in 1usize..90, seed: u64,
    ) {
        let shape = if transposed { vec![to, from] } else { vec![from, to] };
        let weight = |weight| match transposed {
            true => Weight::Transposed(weight),
            false => Weight::Plain(weight),
        };
        hold::<2, 2, 1, 2>(
            &format!("{after:?}, {dtype:?}"),
            [
                &|| Leaf(vec![batch, from], seed, dtype),
                &|| Leaf(shape.clone(), seed ^ 1, dtype),
                &|| Leaf(vec![to], seed ^ 2, dtype),
            ],
            &|x, w, b| ae_kernels::linear(x, weight(w), b, after),
            &|x, w, b| plain::linear(x, weight(w), b, after),
        );
    }

    #[test]
    fn convolutions_and_their_transposes(
        dtype in types(), after in activations(), back: bool,
        batch in 1usize..20, [large, small] in [1usize..6, 1usize..6],
        height in 1usize..12, width in 1usize..12,
        kernel in prop::sample::select(vec![1usize, 3, 5]), stride in 1usize..4, seed: u64,
        whole: bool,
    ) {
        // With complete vectors of filters, few channels are not unrolled into patches.
        let small = if whole { 16 * small } else { small };
        let weight = || Leaf(vec![small, large, kernel, kernel], seed ^ 1, dtype);
        let what = format!("{after:?}, {dtype:?}, {kernel}x{kernel}, stride {stride}, back: {back}");
        if back {
            let size = [height, width];
            let [h, w] = size.map(|size| size.div_ceil(stride));
            hold::<4, 4, 1, 4>(
                &what,
                [
                    &|| Leaf(vec![batch, small, h, w], seed, dtype),
                    &weight,
                    &|| Leaf(vec![large], seed ^ 2, dtype),
                ],
                &|x, w, b| ae_kernels::conv_transpose2d(x, w, Some(b), stride, size, after),
                &|x, w, b| plain::conv_transpose2d(x, w, Some(b), stride, size, after),
            );
        } else {
            hold::<4, 4, 1, 4>(
                &what,
                [
                    &|| Leaf(vec![batch, large, height, width], seed, dtype),
                    &weight,
                    &|| Leaf(vec![small], seed ^ 2, dtype),
                ],
                &|x, w, b| ae_kernels::conv2d(x, w, Some(b), stride, after),
                &|x, w, b| plain::conv2d(x, w, Some(b), stride, after),
            );
        }
    }

    #[test]
    fn maps_and_rows(
        dtype in types(), batch in 1usize..20, channels in 1usize..6, height in 1usize..9,
        width in 1usize..9, seed: u64,
    ) {
        let size = [channels, height, width];
        let rows = || Leaf(vec![batch, size.iter().product()], seed, dtype);
        let weight = || Leaf(vec![3, channels, 3, 3], seed ^ 1, dtype);
        let shift = || Leaf(vec![size.iter().product()], seed ^ 2, dtype);
        // Through a convolution of stride 1 and its transpose, which return maps channels last.
        let there_and_back = |x: Tensor<4>, w: Tensor<4>| {
            let map = ae_kernels::conv2d(x, w.clone(), None, 1, Activation::Tanh);
            ae_kernels::conv_transpose2d(map, w, None, 1, [height, width], Activation::Identity)
        };
        hold::<2, 4, 1, 2>(
            &format!("{dtype:?}, {size:?}"),
            [&rows, &weight, &shift],
            &|x, w, shift| {
                let rows = ae_kernels::flatten(there_and_back(ae_kernels::unflatten(x, size), w));
                ae_kernels::flatten(ae_kernels::unflatten(rows + shift.unsqueeze(), size))
            },
            &|x, w, shift| {
                let map = x.reshape([batch, channels, height, width]);
                there_and_back(map, w).flatten(1, 3) + shift.unsqueeze()
            },
        );
    }

    #[test]
    fn losses(
        dtype in types(), output in activations(), entropy: bool,
        batch in 1usize..40, features in 1usize..90, seed: u64,
    ) {
        let ours = |z: Tensor<2>, t: Tensor<2>, _: Tensor<1>| match entropy {
            true => ae_kernels::cross_entropy(z * 9.0, t),
            false => ae_kernels::squared_error(z * 3.0, output, t),
        };
        let theirs = |z: Tensor<2>, t: Tensor<2>, _: Tensor<1>| match entropy {
            true => plain::cross_entropy(z * 9.0, t),
            false => plain::squared_error(z * 3.0, output, t),
        };
        // The third tensor is only there because `hold` takes three.
        hold::<2, 2, 1, 1>(
            &format!("{output:?}, {dtype:?}, cross-entropy: {entropy}"),
            [
                &|| Leaf(vec![batch, features], seed, dtype),
                &|| Leaf(vec![batch, features], seed ^ 1, dtype),
                &|| Leaf(vec![1], seed ^ 2, dtype),
            ],
            &|z, t, c| ours(z, t, c.clone()) + c,
            &|z, t, c| theirs(z, t, c.clone()) + c,
        );
    }

    #[test]
    fn jacobian_norms(
        dtype in types(), after in activations(),
        batch in 1usize..40, from in 1usize..200, to in 1usize..90, seed: u64,
    ) {
        // Gives every tensor a gradient, even if the slope is constant.
        let rest = |y: Tensor<2>, c: Tensor<1>| y.sum_dim(1).squeeze_dim::<1>(1) + c;
        hold::<2, 2, 1, 1>(
            &format!("{after:?}, {dtype:?}"),
            [
                &|| Leaf(vec![batch, to], seed, dtype),
                &|| Leaf(vec![from, to], seed ^ 1, dtype),
                &|| Leaf(vec![1], seed ^ 2, dtype),
            ],
            &|y, w, c| ae_kernels::jacobian_norm_sq(y.clone(), w, after) + rest(y, c),
            &|y, w, c| plain::jacobian_norm_sq(y.clone(), w, after) + rest(y, c),
        );
    }

    #[test]
    fn adam(
        dtype in types(), len in 1usize..50_000, decay in prop::sample::select(vec![0.0f32, 0.1]),
        seed: u64,
    ) {
        let start = || [0, 1, 2].map(|index| numbers([len], seed ^ index, dtype));
        let [mut ours, mut theirs] = [start(), start()].map(|[p, m, v]| [p, m * 0.0, v * 0.0]);
        for time in 1..4 {
            let step = Adam {
                beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: decay, rate: 0.01, time,
            };
            let gradient = || numbers([len], seed ^ (9 + time as u64), dtype);
            ours = ae_kernels::adam(ours, gradient(), &step);
            theirs = plain::adam(theirs, gradient(), &step);
        }
        for (ours, theirs) in ours.into_iter().zip(theirs) {
            close("adam", ours, theirs);
        }
    }
}

/// Transposed, sliced, flipped and expanded inputs give the same results as contiguous ones.
#[test]
fn strides_do_not_change_results() {
    let (dtype, after) = (DType::F32, Activation::Tanh);
    let bias = || numbers([7], 3, dtype);
    let weight = || numbers([11, 7], 2, dtype);
    let whole = numbers([12, 9], 1, dtype);
    let view = whole.clone().transpose().slice([2..9, 1..12]);
    let ours = ae_kernels::linear(view.clone(), Weight::Plain(weight()), bias(), after);
    close("linear", ours, plain::linear(view, Weight::Plain(weight()), bias(), after));

    for view in [
        numbers([7, 11], 1, dtype).flip([0, 1]),
        numbers([1, 11], 1, dtype).expand([7, 11]),
        numbers([7, 1], 1, dtype).expand([7, 11]),
    ] {
        let run = |linear: fn(Tensor<2>, Weight, Tensor<1>, Activation) -> Tensor<2>| {
            let weight = weight().autodiff().require_grad();
            let plain = Weight::Plain(weight.clone());
            let output = linear(view.clone().autodiff(), plain, bias().autodiff(), after);
            let gradients = output.clone().sum().backward();
            (output.inner(), weight.grad(&gradients).unwrap())
        };
        let (ours, theirs) = (run(ae_kernels::linear), run(plain::linear));
        close("a view", ours.0, theirs.0);
        close("gradient with a view", ours.1, theirs.1);
    }

    let map = numbers([3, 5, 6, 8], 1, dtype).permute([0, 3, 1, 2]).slice([0..2, 1..7]);
    let kernel = || numbers([4, 6, 3, 3], 2, dtype);
    let ours = ae_kernels::conv2d(map.clone(), kernel(), None, 2, after);
    close("conv2d", ours.clone(), plain::conv2d(map, kernel(), None, 2, after));
    // The output of a kernel is stored channels last; Burn's operations must read it like any other tensor.
    let flat = ours.clone().flatten::<2>(1, 3);
    let again = Tensor::<4>::from_data(ours.into_data(), &Device::flex()).flatten::<2>(1, 3);
    close("flattened", flat, again);
}

/// A tensor with another owner is not overwritten.
#[test]
fn adam_does_not_overwrite_shared_tensors() {
    let parameter = numbers([100], 1, DType::F32);
    let shared = parameter.clone();
    let before = shared.to_data();
    let step =
        Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.0, rate: 0.1, time: 1 };
    let zeros = parameter.zeros_like();
    let [after, ..] =
        ae_kernels::adam([parameter, zeros.clone(), zeros], numbers([100], 2, DType::F32), &step);
    shared.to_data().assert_eq(&before, true);
    assert_ne!(after.into_data(), before);
}

/// A loss is NaN if a logit is NaN.
#[test]
fn nan_logits_give_a_nan_loss() {
    let device = Device::flex();
    let logits = Tensor::<2>::from_floats([[0.0, f32::NAN]], &device);
    let target = Tensor::<2>::from_floats([[0.5, 0.5]], &device);
    for loss in [
        ae_kernels::cross_entropy(logits.clone(), target.clone()),
        ae_kernels::squared_error(logits.clone(), Activation::Sigmoid, target.clone()),
        ae_kernels::squared_error(logits, Activation::Relu, target),
    ] {
        let value: f32 = loss.into_scalar();
        assert!(value.is_nan(), "{value}");
    }
}
