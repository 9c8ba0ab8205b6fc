//! A GPU, as its driver reports it.

use std::sync::{Arc, OnceLock};

use burn::tensor::Device;

use super::NamedDevice;
#[cfg(feature = "wgpu")]
use super::wgpu;
use crate::{Error, Result};

/// The kind of a GPU, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GpuKind {
    /// With dedicated memory.
    Discrete,
    /// Part of the processor.
    Integrated,
    /// Of a virtual machine.
    Virtual,
    /// The driver does not report it.
    Unknown,
    /// An emulation on the CPU, which is slow.
    Software,
}

impl std::fmt::Display for GpuKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Discrete => "GPU",
            Self::Integrated => "integrated GPU",
            Self::Virtual => "virtual GPU",
            Self::Unknown => "unknown kind",
            Self::Software => "software, slow",
        })
    }
}

/// A GPU or a software driver.
#[derive(Clone, Debug)]
pub struct Gpu {
    /// Its name.
    pub name: String,
    /// The graphics API and the driver.
    pub api: String,
    /// Its kind.
    pub kind: GpuKind,
    /// The driver's version.
    pub version: String,
    /// Its own memory in bytes, if known.
    pub memory: Option<u64>,
    handle: Handle,
    state: Arc<State>,
}

#[derive(Clone, Debug)]
pub enum Handle {
    #[cfg(feature = "wgpu")]
    Wgpu(wgpu::Address),
    #[cfg(any(feature = "cuda", feature = "rocm"))]
    Native(Device),
    #[cfg(test)]
    Test(Result<Device, String>),
}

/// The state of a GPU in this process.
#[derive(Debug, Default)]
struct State {
    /// The open device, or why it cannot be opened; a device can be opened once.
    device: OnceLock<Result<Device, String>>,
    /// Why its trial failed; it is not tried again.
    failure: OnceLock<String>,
}

impl Gpu {
    /// A GPU that is not opened yet.
    pub fn new(name: String, api: String, version: String, kind: GpuKind, handle: Handle) -> Self {
        let state = Arc::default();
        Self { name, api, kind, version, memory: None, handle, state }
    }

    /// The name to display, with kind, API and driver.
    pub fn title(&self) -> String {
        format!("{} ({}, {})", self.name, self.kind, self.api)
    }

    /// The name that runs store.
    pub fn full_name(&self) -> String {
        format!("{} ({})", self.name, self.api)
    }

    /// The key in the cache of measurements, which includes the driver's version.
    pub fn identity(&self) -> String {
        format!("{} ({}, {})", self.name, self.api, self.version)
    }

    /// Opens it.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn named_device(&self) -> Result<NamedDevice> {
        let handle = self.open().map_err(|reason| {
            Error::usage(format!(
                "{} cannot be used: {reason}; choose another with --device, or --device cpu",
                self.full_name()
            ))
        })?;
        Ok(NamedDevice { handle, name: self.full_name() })
    }

    /// Opens it; the second time the same device.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub fn open(&self) -> Result<Device, String> {
        let open = || match &self.handle {
            #[cfg(feature = "wgpu")]
            Handle::Wgpu(address) => wgpu::open(address),
            #[cfg(any(feature = "cuda", feature = "rocm"))]
            Handle::Native(device) => Ok(device.clone()),
            #[cfg(test)]
            Handle::Test(device) => device.clone(),
            #[cfg(not(any(feature = "wgpu", feature = "cuda", feature = "rocm", test)))]
            _ => Err("this program was built for the CPU only".into()),
        };
        self.state.device.get_or_init(open).clone()
    }

    /// Why its trial failed, if it did.
    pub fn failure(&self) -> Option<String> {
        self.state.failure.get().cloned()
    }

    /// Remembers why its trial failed.
    pub fn set_failure(&self, why: &str) {
        let _ = self.state.failure.set(why.to_owned());
    }
}

/// All GPUs, best first; `gpu:N` counts in this order.
pub fn gpus() -> Vec<Gpu> {
    let mut found: Vec<Gpu> = Vec::new();
    #[cfg(feature = "cuda")]
    found.extend(native(burn::tensor::DeviceType::Cuda, "CUDA"));
    #[cfg(feature = "rocm")]
    found.extend(native(burn::tensor::DeviceType::Rocm, "ROCm"));
    #[cfg(feature = "wgpu")]
    found.extend(wgpu::adapters());
    found.sort_by_key(|gpu| gpu.kind);
    found
}

#[cfg(any(feature = "cuda", feature = "rocm"))]
fn native(kind: burn::tensor::DeviceType, api: &str) -> Vec<Gpu> {
    let devices = Device::enumerate(kind).into_vec().into_iter().enumerate();
    devices
        .map(|(number, device)| {
            let name = device.identity().map_or(format!("{api} device {number}"), |id| id.name);
            Gpu::new(name, api.to_owned(), String::new(), GpuKind::Discrete, Handle::Native(device))
        })
        .collect()
}
