//! The back ends, and how to come by a device of each; of what is measured or tested here, the only place
//! that names ndarray, which Burn 0.23 drops.

use autoencoders::burn::tensor::Device;

/// The back ends that must be there: those that `AE_REQUIRE` names, separated by commas.
pub fn required() -> String {
    std::env::var("AE_REQUIRE").unwrap_or_default()
}

pub fn is_in(required: &str, name: &str) -> bool {
    required.split(',').any(|required| required == name)
}

/// Names and devices, the CPU's first; or the reason why one is missing. A software driver is taken for a
/// GPU only if that is required.
pub fn all(required: &str) -> [(&'static str, Result<Device, &'static str>); 3] {
    [("flex", Ok(Device::flex())), ("ndarray", ndarray()), ("wgpu", wgpu(is_in(required, "wgpu")))]
}

/// Those that are there; one that is missing is skipped with a sentence.
#[allow(dead_code)] // tests/backends.rs shows them as ignored instead
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

#[cfg(feature = "ndarray")]
#[allow(deprecated)]
fn ndarray() -> Result<Device, &'static str> {
    Ok(Device::ndarray())
}

#[cfg(not(feature = "ndarray"))]
fn ndarray() -> Result<Device, &'static str> {
    Err("built without the feature `ndarray`")
}

#[cfg(feature = "wgpu")]
fn wgpu(is_required: bool) -> Result<Device, &'static str> {
    use autoencoders::burn::backend::wgpu::wgpu::{
        Backends, DeviceType, Instance, InstanceDescriptor,
    };
    let backends = Backends::VULKAN | Backends::METAL | Backends::DX12;
    let instance = Instance::new(InstanceDescriptor {
        backends,
        ..InstanceDescriptor::new_without_display_handle()
    });
    let adapters = pollster::block_on(instance.enumerate_adapters(backends));
    let is_real = |kind| matches!(kind, DeviceType::DiscreteGpu | DeviceType::IntegratedGpu);
    let has_gpu = adapters.iter().any(|adapter| is_real(adapter.get_info().device_type));
    if !has_gpu && !is_required {
        return Err("no GPU on this machine");
    }
    let devices = Device::enumerate(autoencoders::burn::tensor::DeviceType::Wgpu);
    devices.first().cloned().ok_or("no adapter on this machine")
}

#[cfg(not(feature = "wgpu"))]
fn wgpu(_: bool) -> Result<Device, &'static str> {
    Err("built without the feature `wgpu`")
}
