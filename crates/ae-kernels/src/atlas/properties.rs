//! The properties that a GPU reports.

use burn::tensor::Device;
use burn_cubecl::cubecl::ir::{ElemType, FloatKind};
use burn_cubecl::cubecl::profile::TimingMethod;

/// Names and values; empty if the device is no GPU.
pub fn properties(device: &Device) -> Vec<(&'static str, String)> {
    let Some(tensor) = super::layer::random([1], device) else { return Vec::new() };
    let properties = tensor.client.properties();
    let hardware = &properties.hardware;
    let known = |number: Option<u32>| number.map_or("unknown".to_owned(), |it| it.to_string());
    let has = |kind| properties.features.supports_type(ElemType::Float(kind)).to_string();
    let clock = match properties.timing_method {
        TimingMethod::Device => "the device's timestamps",
        TimingMethod::System => "the host's clock",
    };
    vec![
        ("device", properties.identity.name.clone()),
        ("compiled for", properties.identity.fingerprint.clone()),
        ("units of a subgroup at least", hardware.plane_size_min.to_string()),
        ("units of a subgroup at most", hardware.plane_size_max.to_string()),
        ("units of a workgroup at most", hardware.max_units_per_cube.to_string()),
        ("bytes of shared memory of a workgroup", hardware.max_shared_memory_size.to_string()),
        ("buffers of a launch at most", hardware.max_bindings.to_string()),
        ("multiprocessors", known(hardware.num_streaming_multiprocessors)),
        ("computes in f16", has(FloatKind::F16)),
        ("computes in bf16", has(FloatKind::BF16)),
        ("times are of", clock.to_owned()),
    ]
}
