//! Every kernel at two shapes against the plain formulation on the CPU: values and gradients.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ae_kernels::{Activation, Adam, AdamQueue, Weight, plain};
use autoencoders::burn::tensor::{DType, Device, Tensor};

use crate::Result;
use crate::numbers::{difference, numbers};
use crate::options::Options;
use crate::sheet::{Sheet, title};

/// The largest difference, as a share of the largest value: that of the kernels' tests.
const TOLERANCE: f64 = 1e-5;

const ACTIVATION: Activation = Activation::Tanh;

/// What a family of nets is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    Linear,
    Convolution,
    Transposed,
    SquaredError,
    CrossEntropy,
    Adam,
}

const KERNELS: [Kernel; 6] = [
    Kernel::Linear,
    Kernel::Convolution,
    Kernel::Transposed,
    Kernel::SquaredError,
    Kernel::CrossEntropy,
    Kernel::Adam,
];

/// Those that failed.
pub fn section(device: &Device, options: &Options) -> Result<Vec<Kernel>> {
    title("checks", options);
    let columns = ["kernel", "shape", "difference", "tolerance", "state"];
    let mut sheet = Sheet::new(options, "checks", &columns)?;
    let mut failed = Vec::new();
    for (kernel, number) in KERNELS.into_iter().flat_map(|kernel| [(kernel, 0), (kernel, 1)]) {
        let run = || check(kernel, number, device);
        // A driver that cannot compile a kernel says so by a panic.
        let (shape, difference) = catch_unwind(AssertUnwindSafe(run))
            .unwrap_or_else(|_| (format!("number {number}"), f64::INFINITY));
        let is_close = difference <= TOLERANCE;
        let state = if is_close { "ok" } else { "failed" };
        println!("{kernel:?} {shape}: off by {difference:.1e}, {state}");
        sheet.row(&[
            format!("{kernel:?}"),
            shape,
            format!("{difference:e}"),
            format!("{TOLERANCE:e}"),
            state.to_owned(),
        ])?;
        if !is_close && !failed.contains(&kernel) {
            failed.push(kernel);
        }
    }
    Ok(failed)
}

/// The shape, and the largest difference of a value or a gradient.
fn check(kernel: Kernel, number: usize, device: &Device) -> (String, f64) {
    match kernel {
        Kernel::Linear => linear([[33, 21, 70], [128, 1000, 30]][number], device),
        Kernel::Convolution | Kernel::Transposed => {
            let map = [[8, 1, 28, 28, 32, 3, 2], [3, 5, 11, 9, 7, 5, 2]][number];
            convolution(map, kernel == Kernel::Transposed, device)
        }
        Kernel::SquaredError | Kernel::CrossEntropy => {
            loss([[17, 784], [300, 90]][number], kernel == Kernel::CrossEntropy, device)
        }
        Kernel::Adam => adam([700, 4097][number], device),
    }
}

/// Value and gradients, each weighted by numbers so that no two entries count alike.
fn seen<const A: usize, const B: usize, const O: usize>(
    device: &Device,
    shapes: ([usize; A], [usize; B], usize),
    function: &dyn Fn(Tensor<A>, Tensor<B>, Tensor<1>) -> Tensor<O>,
) -> [Tensor<1>; 4] {
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
}

fn largest<const N: usize>(ours: [Tensor<1>; N], theirs: [Tensor<1>; N]) -> f64 {
    let pairs = ours.into_iter().zip(theirs);
    pairs.map(|(ours, theirs)| difference(ours, theirs)).fold(0.0, f64::max)
}

fn linear(shape: [usize; 3], device: &Device) -> (String, f64) {
    let [batch, from, to] = shape;
    let (shapes, scale) = (([batch, from], [from, to], to), 4.0 / from as f64);
    let ours = seen::<2, 2, 2>(device, shapes, &|x, w, b| {
        ae_kernels::linear(x * scale, Weight::Plain(w), b, ACTIVATION)
    });
    let theirs = seen::<2, 2, 2>(&Device::flex(), shapes, &|x, w, b| {
        plain::linear(x * scale, Weight::Plain(w), b, ACTIVATION)
    });
    (format!("{shape:?}"), largest(ours, theirs))
}

fn convolution(map: [usize; 7], is_transposed: bool, device: &Device) -> (String, f64) {
    let [batch, channels, height, width, filters, kernel, stride] = map;
    let (size, weight) = ([height, width], [filters, channels, kernel, kernel]);
    let found = if is_transposed {
        let [h, w] = size.map(|size| size.div_ceil(stride));
        let (shapes, scale) =
            (([batch, filters, h, w], weight, channels), 4.0 / (filters * kernel) as f64);
        let ours = seen::<4, 4, 4>(device, shapes, &|x, w, b| {
            ae_kernels::conv_transpose2d(x * scale, w, Some(b), stride, size, ACTIVATION)
        });
        let theirs = seen::<4, 4, 4>(&Device::flex(), shapes, &|x, w, b| {
            plain::conv_transpose2d(x * scale, w, Some(b), stride, size, ACTIVATION)
        });
        largest(ours, theirs)
    } else {
        let (shapes, scale) = (
            ([batch, channels, height, width], weight, filters),
            4.0 / (channels * kernel * kernel) as f64,
        );
        let ours = seen::<4, 4, 4>(device, shapes, &|x, w, b| {
            ae_kernels::conv2d(x * scale, w, Some(b), stride, ACTIVATION)
        });
        let theirs = seen::<4, 4, 4>(&Device::flex(), shapes, &|x, w, b| {
            plain::conv2d(x * scale, w, Some(b), stride, ACTIVATION)
        });
        largest(ours, theirs)
    };
    (format!("{map:?}"), found)
}

fn loss(shape: [usize; 2], is_cross_entropy: bool, device: &Device) -> (String, f64) {
    let shapes = (shape, shape, 1);
    let found = if is_cross_entropy {
        let ours =
            seen::<2, 2, 1>(device, shapes, &|z, t, c| ae_kernels::cross_entropy(z * 9.0, t) * c);
        let theirs = seen::<2, 2, 1>(&Device::flex(), shapes, &|z, t, c| {
            plain::cross_entropy(z * 9.0, t) * c
        });
        largest(ours, theirs)
    } else {
        let ours = seen::<2, 2, 1>(device, shapes, &|z, t, c| {
            ae_kernels::squared_error(z * 3.0, ACTIVATION, t) * c
        });
        let theirs = seen::<2, 2, 1>(&Device::flex(), shapes, &|z, t, c| {
            plain::squared_error(z * 3.0, ACTIVATION, t) * c
        });
        largest(ours, theirs)
    };
    (format!("{shape:?}"), found)
}

/// Three steps of two parameters in one queue, against one after the other on the CPU.
fn adam(len: usize, device: &Device) -> (String, f64) {
    let step = |time| Adam {
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.1,
        rate: 0.01,
        time,
    };
    let sizes = [len, 33];
    let start = |device: &Device| {
        let numbers = |len, seed| numbers::<1>([len], seed, DType::F32, device);
        sizes.map(|len| [numbers(len, 1), numbers(len, 2) * 0.0, numbers(len, 3) * 0.0])
    };
    let (mut ours, mut theirs) = (start(device), start(&Device::flex()));
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
    let pairs = ours.into_iter().zip(theirs);
    (format!("[{len}, 33]"), pairs.map(|(ours, theirs)| largest(ours, theirs)).fold(0.0, f64::max))
}
