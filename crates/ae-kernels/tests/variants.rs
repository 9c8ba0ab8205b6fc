//! A contraction gives the same result in all variants that the atlas measures, on a GPU. With `AE_REQUIRE=wgpu` a
//! software driver counts as a GPU.

#[allow(dead_code, reason = "only its comparison is used")]
mod numbers;

use ae_kernels::atlas::{Direction, Layer, Sizes, Work, choices, with_variant};
use burn::tensor::{Device, DeviceType};
use libtest_mimic::{Arguments, Failed, Trial};
use numbers::difference;

/// The largest difference, relative to the largest value: f32 sums of a few hundred numbers in another order.
const TOLERANCE: f64 = 1e-5;

fn main() {
    let arguments = Arguments::from_args();
    let required = std::env::var("AE_REQUIRE").unwrap_or_default();
    let is_required = required.split(',').any(|name| name == "wgpu");
    let is_software = |device: &Device| {
        let name = device.identity().map(|identity| identity.name.to_lowercase());
        name.is_none_or(|name| name.contains("llvmpipe") || name.contains("swiftshader"))
    };
    let devices = Device::enumerate(DeviceType::Wgpu).into_vec();
    let device = devices.into_iter().find(|device| is_required || !is_software(device));
    let sizes = |channels, side, filters| Sizes { channels, side, filters, kernel: 3, stride: 2 };
    let layers = [
        ("a linear map", Layer::Linear([130, 70]), 37),
        ("a linear map with few rows", Layer::Linear([600, 40]), 9),
        ("a convolution", Layer::Convolution(sizes(5, 9, 33)), 3),
        ("a transposed convolution", Layer::Transposed(sizes(9, 9, 20)), 3),
        ("a transposed convolution with one channel", Layer::Transposed(sizes(1, 11, 17)), 5),
    ];
    let trials = layers.into_iter().map(|(name, layer, batch)| {
        let (is_missing, device) = (device.is_none(), device.clone());
        let run = move || body(&device.ok_or("no GPU, which AE_REQUIRE demands")?, layer, batch);
        Trial::test(format!("wgpu::{name}"), run).with_ignored_flag(is_missing && !is_required)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn body(device: &Device, layer: Layer, batch: usize) -> Result<(), Failed> {
    for direction in [Direction::Forward, Direction::Input, Direction::Weight] {
        let work = Work::new(device, layer, direction, batch).ok_or("a GPU")?;
        let (expected, choices) = choices(|| work.results());
        let [choice] = choices[..] else { return Err(format!("one launch: {choices:?}").into()) };
        let mut variants = choice.request.variants();
        variants.extend(variants[0].around(&choice.request));
        for variant in variants {
            let found = with_variant(variant, || work.results())?;
            let off = difference(found, expected.clone());
            if !matches!(off, off if off <= TOLERANCE) {
                return Err(format!("{direction:?}, {variant:?}: off by {off:.1e}").into());
            }
        }
    }
    Ok(())
}
