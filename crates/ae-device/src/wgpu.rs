//! GPUs through wgpu: adapters of Vulkan, Metal and DX12.

use burn::tensor::wgpu::{WgpuBackend, wgpu};
use burn::tensor::{Device, DeviceKind};

use super::gpu::{Gpu, GpuKind, Handle};

/// How Burn identifies an adapter: by API, kind and index within that kind.
#[derive(Clone, Debug)]
pub struct Address {
    api: WgpuBackend,
    kind: DeviceKind,
}

/// The APIs with good support for compute; OpenGL is not among them.
const APIS: [(wgpu::Backend, WgpuBackend); 3] = [
    (wgpu::Backend::Vulkan, WgpuBackend::Vulkan),
    (wgpu::Backend::Metal, WgpuBackend::Metal),
    (wgpu::Backend::Dx12, WgpuBackend::Dx12),
];

/// The adapters of the first API that has a real GPU, else those of all.
pub fn adapters() -> Vec<Gpu> {
    let mut all = Vec::new();
    for (backend, api) in APIS {
        let found = of(backend, api);
        if found.iter().any(|gpu| gpu.kind != GpuKind::Software) {
            return found;
        }
        all.extend(found);
    }
    all
}

fn of(backend: wgpu::Backend, graphics: WgpuBackend) -> Vec<Gpu> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: backend.into(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let adapters = pollster::block_on(instance.enumerate_adapters(backend.into()));
    let infos: Vec<_> = adapters.iter().map(|adapter| adapter.get_info()).collect();
    let number = |at: usize| {
        infos[..at].iter().filter(|info| info.device_type == infos[at].device_type).count()
    };
    let gpu = |(at, info): (usize, &wgpu::AdapterInfo)| {
        let (kind, address) = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => {
                (GpuKind::Discrete, DeviceKind::DiscreteGpu(number(at)))
            }
            wgpu::DeviceType::IntegratedGpu => {
                (GpuKind::Integrated, DeviceKind::IntegratedGpu(number(at)))
            }
            wgpu::DeviceType::VirtualGpu => (GpuKind::Virtual, DeviceKind::VirtualGpu(number(at))),
            // Burn cannot select the second of several software adapters.
            wgpu::DeviceType::Cpu if number(at) == 0 => (GpuKind::Software, DeviceKind::Cpu),
            wgpu::DeviceType::Cpu => return None,
            // Nor one of unknown kind, unless it is the only adapter.
            wgpu::DeviceType::Other if infos.len() == 1 => {
                (GpuKind::Unknown, DeviceKind::DefaultDevice)
            }
            wgpu::DeviceType::Other => return None,
        };
        let driver =
            if info.driver.is_empty() { String::new() } else { format!(", {}", info.driver) };
        let (api, version) = (format!("{backend}{driver}"), info.driver_info.clone());
        let handle = Handle::Wgpu(Address { api: graphics, kind: address });
        let mut gpu = Gpu::new(info.name.clone(), api, version, kind, handle);
        gpu.memory = memory(&info.device_pci_bus_id);
        Some(gpu)
    };
    infos.iter().enumerate().filter_map(gpu).collect()
}

/// The memory of an AMD GPU on Linux.
fn memory(bus: &str) -> Option<u64> {
    let path = format!("/sys/bus/pci/devices/{bus}/mem_info_vram_total");
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

pub fn open(address: &Address) -> Result<Device, String> {
    let options = Device::wgpu_options().graphics_api(address.api);
    options.device_kind(address.kind.clone()).init().map_err(|error| error.to_string())
}
