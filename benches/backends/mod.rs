//! The back ends that are built and have a device here. One that is missing is skipped with a sentence.

use autoencoders::burn::tensor::Device;

/// Names and devices, the CPU's first.
pub fn backends() -> Vec<(&'static str, Device)> {
    let mut present = Vec::new();
    for (name, device) in all() {
        match device {
            Ok(device) => present.push((name, device)),
            Err(why) => eprintln!("{name} is skipped: {why}"),
        }
    }
    present
}

/// Those that are missing too, with the reason.
pub fn all() -> [(&'static str, Result<Device, &'static str>); 3] {
    [("flex", Ok(Device::flex())), ("ndarray", ndarray()), ("wgpu", wgpu())]
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

/// A real GPU; what a software driver takes is of interest to nobody.
#[cfg(feature = "wgpu")]
fn wgpu() -> Result<Device, &'static str> {
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
    if !adapters.iter().any(|adapter| is_real(adapter.get_info().device_type)) {
        return Err("no GPU on this machine");
    }
    let devices = Device::enumerate(autoencoders::burn::tensor::DeviceType::Wgpu);
    devices.first().cloned().ok_or("no adapter on this machine")
}

#[cfg(not(feature = "wgpu"))]
fn wgpu() -> Result<Device, &'static str> {
    Err("built without the feature `wgpu`")
}
