//! The back ends, and how to come by a device of each; of what is measured or tested here, the only place
//! that names ndarray, which Burn 0.23 drops.
#![allow(dead_code)] // each of its users takes a part

use autoencoders::burn::tensor::Device;
#[cfg(any(feature = "wgpu", feature = "cuda", feature = "rocm"))]
use autoencoders::burn::tensor::DeviceType;

/// The back ends that must be there: those that `AE_REQUIRE` names, separated by commas.
pub fn required() -> String {
    std::env::var("AE_REQUIRE").unwrap_or_default()
}

pub fn is_in(required: &str, name: &str) -> bool {
    required.split(',').any(|required| required == name)
}

pub type Found = Result<Device, &'static str>;

/// Names and devices, those on the CPU first and the platform's own last; or the reason why one is missing.
/// A software driver is taken for a GPU only if that is required.
pub fn all(required: &str) -> Vec<(&'static str, Found)> {
    Vec::from([
        ("flex", Ok(Device::flex())),
        ("ndarray", ndarray()),
        ("wgpu", wgpu(is_in(required, "wgpu"))),
        #[cfg(feature = "cuda")]
        ("cuda", first_of(DeviceType::Cuda)),
        #[cfg(feature = "rocm")]
        ("rocm", first_of(DeviceType::Rocm)),
    ])
}

/// Those that are there; one that is missing is skipped with a sentence.
pub fn present() -> Vec<(&'static str, Device)> {
    let mut present = Vec::new();
    for (name, device) in all(&required()) {
        match device {
            Ok(device) => present.push((name, device)),
            Err(why) => eprintln!("{name} is skipped: {why}"),
        }
    }
    present
}

/// The GPU, by the platform's own back end where that is built.
pub fn gpu() -> Found {
    let is_on_cpu = |name| ["flex", "ndarray"].contains(&name);
    let gpus = all(&required()).into_iter().filter(|(name, _)| !is_on_cpu(name));
    gpus.map(|(_, device)| device).reduce(|best, next| next.or(best)).expect("wgpu is listed")
}

/// What a GPU calls itself.
#[cfg(any(feature = "wgpu", feature = "cuda", feature = "rocm"))]
pub fn name(device: &Device) -> Option<String> {
    device.identity().map(|identity| identity.name)
}

#[cfg(not(any(feature = "wgpu", feature = "cuda", feature = "rocm")))]
pub fn name(_: &Device) -> Option<String> {
    None
}

#[cfg(any(feature = "wgpu", feature = "cuda", feature = "rocm"))]
fn first_of(kind: DeviceType) -> Found {
    Device::enumerate(kind).first().cloned().ok_or("no such device on this machine")
}

#[cfg(feature = "ndarray")]
#[allow(deprecated)]
fn ndarray() -> Found {
    Ok(Device::ndarray())
}

#[cfg(not(feature = "ndarray"))]
fn ndarray() -> Found {
    Err("built without the feature `ndarray`")
}

#[cfg(feature = "wgpu")]
fn wgpu(is_required: bool) -> Found {
    use autoencoders::burn::backend::wgpu::wgpu::{self, Backends, Instance, InstanceDescriptor};
    let backends = Backends::VULKAN | Backends::METAL | Backends::DX12;
    let instance = Instance::new(InstanceDescriptor {
        backends,
        ..InstanceDescriptor::new_without_display_handle()
    });
    let adapters = pollster::block_on(instance.enumerate_adapters(backends));
    let is_real =
        |kind| matches!(kind, wgpu::DeviceType::DiscreteGpu | wgpu::DeviceType::IntegratedGpu);
    let has_gpu = adapters.iter().any(|adapter| is_real(adapter.get_info().device_type));
    if !has_gpu && !is_required {
        return Err("no GPU on this machine");
    }
    first_of(DeviceType::Wgpu)
}

#[cfg(not(feature = "wgpu"))]
fn wgpu(_: bool) -> Found {
    Err("built without the feature `gpu`")
}
