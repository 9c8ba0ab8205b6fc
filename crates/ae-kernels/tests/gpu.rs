//! Every kernel on a GPU against its formulation in Burn's operations on the CPU: values and all gradients, in f32.
//! With `AE_REQUIRE=wgpu` a software driver counts as a GPU.

mod numbers;

use ae_kernels::{Activation, Adam, AdamQueue, Mask, Weight, Words, launches, plain};
use burn::tensor::{DType, Device, DeviceType, Tensor};
use libtest_mimic::{Arguments, Failed, Trial};
use numbers::{difference, numbers};

/// The largest difference, relative to the largest value: f32 sums of about a thousand numbers in another order.
const TOLERANCE: f64 = 1e-5;

const ACTIVATIONS: [Activation; 7] = Activation::ALL;

type Body = fn(&Device) -> Result<(), Failed>;

fn main() {
    let arguments = Arguments::from_args();
    let required = std::env::var("AE_REQUIRE").unwrap_or_default();
    let is_required = required.split(',').any(|name| name == "wgpu");
    let device = device(is_required);
    let bodies: [(&str, Body); 9] = [
        ("products", products),
        ("products with a split sum", split_products),
        ("views", views),
        ("convolutions", convolutions),
        ("transposed convolutions", transposed_convolutions),
        ("losses", losses),
        ("nan inputs give nan", nan),
        ("adam", adam),
        ("random words", random_words),
    ];
    let trials = bodies.into_iter().map(|(name, body)| {
        let device = device.clone();
        let is_missing = device.is_none();
        let run = move || body(&device.ok_or("no GPU, which AE_REQUIRE demands")?);
        Trial::test(format!("wgpu::{name}"), run).with_ignored_flag(is_missing && !is_required)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

/// The first GPU; a software driver counts only if it is required.
fn device(is_required: bool) -> Option<Device> {
    let is_software = |device: &Device| {
        let name = device.identity().map(|identity| identity.name.to_lowercase());
        name.is_none_or(|name| name.contains("llvmpipe") || name.contains("swiftshader"))
    };
    let devices = Device::enumerate(DeviceType::Wgpu).into_vec();
    devices.into_iter().find(|device| is_required || !is_software(device))
}

fn close(what: &str, ours: Tensor<1>, theirs: Tensor<1>) -> Result<(), Failed> {
    let found = difference(ours, theirs);
    match found <= TOLERANCE {
        true => Ok(()),
        false => Err(format!("{what}: off by {found:.2e} of the largest value").into()),
    }
}

/// Compares a function of three tensors on the device and on the CPU: values and gradients. The output is weighted by
/// random numbers, so that each entry counts differently.
fn hold<const A: usize, const B: usize, const O: usize>(
    what: &str,
    device: &Device,
    shapes: ([usize; A], [usize; B], usize),
    ours: &dyn Fn(Tensor<A>, Tensor<B>, Tensor<1>) -> Tensor<O>,
    theirs: &dyn Fn(Tensor<A>, Tensor<B>, Tensor<1>) -> Tensor<O>,
) -> Result<(), Failed> {
    let run = |device: &Device, function: &dyn Fn(Tensor<A>, Tensor<B>, Tensor<1>) -> Tensor<O>| {
        let device = device.clone().autodiff();
        let a = numbers(shapes.0, 1, DType::F32, &device).require_grad();
        let b = numbers(shapes.1, 2, DType::F32, &device).require_grad();
        let c = numbers([shapes.2], 3, DType::F32, &device).require_grad();
        let output = function(a.clone(), b.clone(), c.clone());
        let weights = numbers(output.dims(), 77, DType::F32, &device);
        let gradients = (output.clone() * weights).sum().backward();
        [
            output.inner().flatten(0, O - 1),
            a.grad(&gradients).expect("a gradient").flatten(0, A - 1),
            b.grad(&gradients).expect("a gradient").flatten(0, B - 1),
            c.grad(&gradients).expect("a gradient"),
        ]
    };
    let (ours, theirs) = (run(device, ours), run(&Device::flex(), theirs));
    for (name, (ours, theirs)) in ["value", "first gradient", "second gradient", "third gradient"]
        .iter()
        .zip(ours.into_iter().zip(theirs))
    {
        close(&format!("{what}: {name}"), ours, theirs)?;
    }
    Ok(())
}

fn product(
    device: &Device,
    [batch, from, to]: [usize; 3],
    transposed: bool,
    activation: Activation,
) -> Result<(), Failed> {
    let weight = |weight| match transposed {
        true => Weight::Transposed(weight),
        false => Weight::Plain(weight),
    };
    let shape = if transposed { [to, from] } else { [from, to] };
    // Inputs of the order of 1 / from keep outputs in the range where activations are steep.
    let scale = 4.0 / from as f64;
    hold::<2, 2, 2>(
        &format!("{batch}x{from} to {to}, transposed: {transposed}, {activation}"),
        device,
        ([batch, from], shape, to),
        &|x, w, b| ae_kernels::linear(x * scale, weight(w), b, activation),
        &|x, w, b| plain::linear(x * scale, weight(w), b, activation),
    )
}

/// One row, one column, one step, odd sizes, and sizes that are no multiple of a tile.
fn products(device: &Device) -> Result<(), Failed> {
    for activation in ACTIVATIONS {
        for transposed in [false, true] {
            product(device, [33, 21, 70], transposed, activation)?;
        }
    }
    for shape in [
        [1, 1, 1],
        [1, 5, 3],
        [7, 1, 4],
        [5, 9, 1],
        [2, 64, 2],
        [17, 33, 5],
        [64, 64, 64],
        [65, 63, 129],
        [130, 31, 16],
        [257, 12, 40],
        [3, 200, 32],
    ] {
        product(device, shape, shape[0] % 2 == 0, Activation::Relu)?;
    }
    Ok(())
}

fn split_products(device: &Device) -> Result<(), Failed> {
    for shape in [[8, 3136, 32], [128, 1000, 30], [3, 2001, 5], [700, 40, 3], [1025, 8, 6]] {
        product(device, shape, false, Activation::Tanh)?;
        product(device, shape, true, Activation::Identity)?;
    }
    Ok(())
}

/// Strides do not change results.
fn views(device: &Device) -> Result<(), Failed> {
    let activation = Activation::Sigmoid;
    hold::<2, 2, 2>(
        "a transposed input and a sliced weight",
        device,
        ([9, 12], [14, 7], 7),
        &|x, w, b| {
            let w = Weight::Plain(w.slice([1..10, 0..7]));
            ae_kernels::linear(x.transpose(), w, b, activation)
        },
        &|x, w, b| {
            let w = Weight::Plain(w.slice([1..10, 0..7]));
            plain::linear(x.transpose(), w, b, activation)
        },
    )?;
    hold::<2, 2, 2>(
        "a row that is repeated",
        device,
        ([1, 12], [12, 7], 7),
        &|x, w, b| ae_kernels::linear(x.expand([6, 12]), Weight::Plain(w), b, activation),
        &|x, w, b| plain::linear(x.expand([6, 12]), Weight::Plain(w), b, activation),
    )?;
    hold::<4, 4, 4>(
        "a permuted map",
        device,
        ([3, 5, 6, 8], [4, 8, 3, 3], 4),
        &|x, w, b| ae_kernels::conv2d(x.permute([0, 3, 1, 2]), w, Some(b), 2, activation),
        &|x, w, b| plain::conv2d(x.permute([0, 3, 1, 2]), w, Some(b), 2, activation),
    )
}

/// Batch, channels of the large side, its height and width, filters, kernel, stride.
const MAPS: [[usize; 7]; 16] = [
    [8, 1, 28, 28, 32, 3, 2],
    [2, 32, 14, 14, 64, 3, 2],
    [3, 3, 32, 32, 32, 3, 2],
    [1, 1, 1, 1, 1, 3, 1],
    [1, 2, 5, 3, 4, 1, 1],
    [2, 3, 7, 6, 5, 1, 2],
    [3, 5, 11, 9, 7, 5, 2],
    [2, 4, 9, 8, 3, 5, 1],
    [1, 3, 6, 7, 70, 3, 1],
    [5, 7, 13, 5, 2, 3, 3],
    [2, 1, 9, 9, 6, 5, 3],
    [2, 2, 8, 8, 3, 3, 4],
    [4, 6, 4, 4, 9, 7, 2],
    [130, 1, 6, 6, 8, 3, 2],
    [2, 8, 16, 12, 1, 3, 2],
    [7, 2, 10, 10, 130, 3, 2],
];

fn convolutions(device: &Device) -> Result<(), Failed> {
    for (number, map) in MAPS.into_iter().enumerate() {
        let [batch, channels, height, width, filters, kernel, stride] = map;
        let activation = ACTIVATIONS[number % ACTIVATIONS.len()];
        let scale = 4.0 / (channels * kernel * kernel) as f64;
        hold::<4, 4, 4>(
            &format!("{map:?}, {activation}"),
            device,
            ([batch, channels, height, width], [filters, channels, kernel, kernel], filters),
            &|x, w, b| ae_kernels::conv2d(x * scale, w, Some(b), stride, activation),
            &|x, w, b| plain::conv2d(x * scale, w, Some(b), stride, activation),
        )?;
    }
    Ok(())
}

fn transposed_convolutions(device: &Device) -> Result<(), Failed> {
    for (number, map) in MAPS.into_iter().enumerate() {
        let [batch, channels, height, width, filters, kernel, stride] = map;
        let activation = ACTIVATIONS[(number + 3) % ACTIVATIONS.len()];
        let size = [height, width];
        let [h, w] = size.map(|size| size.div_ceil(stride));
        let scale = 4.0 / (filters * kernel) as f64;
        hold::<4, 4, 4>(
            &format!("{map:?}, {activation}"),
            device,
            ([batch, filters, h, w], [filters, channels, kernel, kernel], channels),
            &|x, w, b| {
                ae_kernels::conv_transpose2d(x * scale, w, Some(b), stride, size, activation)
            },
            &|x, w, b| plain::conv_transpose2d(x * scale, w, Some(b), stride, size, activation),
        )?;
    }
    Ok(())
}

fn losses(device: &Device) -> Result<(), Failed> {
    for [batch, features] in [[1, 1], [3, 5], [17, 784], [300, 90], [128, 784]] {
        for output in ACTIVATIONS {
            hold::<2, 2, 1>(
                &format!("squared error, {batch}x{features}, {output}"),
                device,
                ([batch, features], [batch, features], 1),
                &|z, t, c| ae_kernels::squared_error(z * 3.0, output, t) * c,
                &|z, t, c| plain::squared_error(z * 3.0, output, t) * c,
            )?;
        }
        hold::<2, 2, 1>(
            &format!("cross-entropy, {batch}x{features}"),
            device,
            ([batch, features], [batch, features], 1),
            &|z, t, c| ae_kernels::cross_entropy(z * 9.0, t) * c,
            &|z, t, c| plain::cross_entropy(z * 9.0, t) * c,
        )?;
    }
    Ok(())
}

fn nan(device: &Device) -> Result<(), Failed> {
    let row = Tensor::<2>::from_floats([[0.0, f32::NAN, 1.0]], device);
    let target = Tensor::<2>::from_floats([[0.5, 0.5, 0.5]], device);
    let mut losses =
        vec![("cross-entropy", ae_kernels::cross_entropy(row.clone(), target.clone()))];
    for output in ACTIVATIONS {
        losses.push((
            "squared error",
            ae_kernels::squared_error(row.clone(), output, target.clone()),
        ));
        let weight = Weight::Plain(Tensor::ones([3, 2], device));
        let bias = Tensor::zeros([2], device);
        losses.push(("product", ae_kernels::linear(row.clone(), weight, bias, output).sum()));
    }
    for (what, loss) in losses {
        let value: f32 = loss.into_scalar();
        if !value.is_nan() {
            return Err(format!("{what}: {value}").into());
        }
    }
    Ok(())
}

/// The same components as on the CPU, bit for bit, for several sizes, shares and streams.
fn random_words(device: &Device) -> Result<(), Failed> {
    for (number, [rows, features]) in
        [[1, 1], [3, 5], [2, 1024], [33, 784], [300, 41]].into_iter().enumerate()
    {
        let key = std::array::from_fn(|byte| (byte * 37 + number) as u8);
        let words = Words { key, stream: (number as u64) << 33 | 7 };
        for [replaced, ones] in [[0, 0], [1 << 30, 0], [3 << 30, 3 << 29], [1 << 32, 1 << 31]] {
            let run = |device: &Device, replace: Replace| {
                let input = numbers([rows, features], 4, DType::F32, device);
                let (values, mask) = replace(input, &words, replaced, ones);
                let marks = [mask.clone().into_float(), mask.into_bool().float()];
                (
                    values.into_data(),
                    marks.map(|marks| marks.into_data().iter::<f32>().collect::<Vec<_>>()),
                )
            };
            let ours = run(device, ae_kernels::replace_at_random);
            let theirs = run(&Device::flex(), plain::replace_at_random);
            if ours != theirs {
                return Err(format!("{rows}x{features}, {replaced} and {ones} of 2^32").into());
            }
        }
    }
    Ok(())
}

type Replace = fn(Tensor<2>, &Words, u64, u64) -> (Tensor<2>, Mask);

/// Several parameters of different sizes in one queue, against one after the other on the CPU. A tensor with another
/// owner is not overwritten.
fn adam(device: &Device) -> Result<(), Failed> {
    let step = |time| Adam {
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.1,
        rate: 0.01,
        time,
    };
    let sizes = [700, 1, 33, 4097, 256, 5, 12, 3, 1025];
    let start = |device: &Device| {
        sizes.map(|len| [0, 1, 2].map(|seed| numbers([len], seed + len as u64, DType::F32, device)))
    };
    let zeroed = |[p, m, v]: [Tensor<1>; 3]| [p, m * 0.0, v * 0.0];
    let (mut ours, mut theirs) = (start(device).map(zeroed), start(&Device::flex()).map(zeroed));
    let (shared, before) = (ours[0][0].clone(), theirs[0][0].clone());
    for time in 1..4 {
        let gradient = |len, device: &Device| numbers([len], 90 + time as u64, DType::F32, device);
        let mut queue = AdamQueue::default();
        for (state, len) in ours.iter_mut().zip(sizes) {
            *state = queue.push(state.clone(), gradient(len, device), &step(time));
        }
        queue.finish();
        for (state, len) in theirs.iter_mut().zip(sizes) {
            *state = plain::adam(state.clone(), gradient(len, &Device::flex()), &step(time));
        }
    }
    for (ours, theirs) in ours.iter().zip(&theirs) {
        for (ours, theirs) in ours.iter().zip(theirs) {
            close("adam", ours.clone(), theirs.clone())?;
        }
    }
    close("a shared tensor", shared, before)?;
    // In place, nine parameters take two launches.
    let mut held = Some(ours);
    let (_, seen) = launches(|| {
        let mut queue = AdamQueue::default();
        let gradients = sizes.map(|len| numbers([len], 5, DType::F32, device));
        let states = held.take().expect("held once");
        let states: Vec<_> = states
            .into_iter()
            .zip(gradients)
            .map(|(state, g)| queue.push(state, g, &step(4)))
            .collect();
        queue.finish();
        states
    });
    match seen.total() {
        2 => Ok(()),
        _ => Err(format!("expected 2 launches, got {:?}", seen.counts).into()),
    }
}
