#![doc = include_str!("../README.md")]
#![cfg_attr(
    not(feature = "wgpu"),
    allow(dead_code, unreachable_code, reason = "without a GPU back end no GPU is ever found")
)]

mod cache;
mod error;
mod fastest;
mod gpu;
mod list;
pub mod panics;
mod pick;
mod request;
mod system;
mod trial;
#[cfg(feature = "wgpu")]
mod wgpu;

use burn::tensor::Device;

use cache::RateCache;
pub use error::{Error, Result};
use gpu::gpus;
pub use gpu::{Gpu, GpuKind};
pub use list::{ListedDevice, MeasuredSpeed, devices, list};
use pick::{Pick, choose};
pub use request::DeviceRequest;
pub use system::SystemGpu;
pub use trial::TrialJob;

/// An open device and its name.
#[derive(Clone, Debug)]
pub struct NamedDevice {
    /// The device.
    pub handle: Device,
    /// Its name, as runs store it.
    pub name: String,
}

impl NamedDevice {
    /// The CPU.
    pub fn cpu() -> Self {
        Self { handle: Device::flex(), name: cpu_name() }
    }
}

/// The device to train on.
pub enum Choice {
    /// This one.
    Fixed(NamedDevice),
    /// The fastest of the CPU and these GPUs, to be measured.
    Fastest(Vec<Gpu>),
}

impl Choice {
    /// The device that is chosen; the CPU until then.
    pub fn provisional(&self) -> NamedDevice {
        match self {
            Self::Fixed(device) => device.clone(),
            Self::Fastest(_) => NamedDevice::cpu(),
        }
    }

    /// The device with a name, unless the choice is fixed or there is none.
    pub fn by_name(&self, name: &str) -> Option<NamedDevice> {
        let Self::Fastest(gpus) = self else { return None };
        let cpu = std::iter::once(NamedDevice::cpu());
        cpu.chain(
            gpus.iter()
                .filter(|gpu| gpu.full_name() == name)
                .filter_map(|it| it.named_device().ok()),
        )
        .find(|device| device.name == name)
    }

    /// The device to train on, and the reason in a line. Unless it is fixed, tries a few steps on each; without a
    /// training (`None`) chooses the CPU.
    ///
    /// # Errors
    /// If the training fails on the CPU, or the fastest device cannot be opened.
    pub fn decide(
        &self,
        job: impl FnOnce() -> Option<TrialJob>,
    ) -> Result<(NamedDevice, Option<String>)> {
        let gpus = match self {
            Self::Fixed(device) => return Ok((device.clone(), None)),
            Self::Fastest(gpus) => gpus,
        };
        let (device, line) = match job() {
            Some(job) => fastest::fastest(gpus, &job, &mut RateCache::read())?,
            None => short_work(),
        };
        Ok((device, Some(line)))
    }
}

fn short_work() -> (NamedDevice, String) {
    (NamedDevice::cpu(), format!("CPU: {} (fastest for short work)", cpu_name()))
}

/// Opens the device for work other than training, and says in a line which and why. `auto` is the CPU, which
/// finishes before a GPU has started.
///
/// # Errors
/// If there is no such device, or it cannot be opened.
pub fn open(request: &DeviceRequest) -> Result<(NamedDevice, Option<String>)> {
    if *request == DeviceRequest::Auto {
        let (device, why) = short_work();
        return Ok((device, Some(why)));
    }
    let (choice, why) = choice(request)?;
    Ok((choice.provisional(), why))
}

/// Chooses the device to train on, and says in a line which and why, unless it has to be measured.
///
/// # Errors
/// If there is no such device, or it cannot be opened.
pub fn choice(request: &DeviceRequest) -> Result<(Choice, Option<String>)> {
    // Starts no driver for --device cpu: it may be what fails.
    let detected =
        if *request == DeviceRequest::Cpu { Detected::Gpus(Vec::new()) } else { Detected::find() };
    let (device, why) = match choose(request, detected, software_counts())? {
        Pick::Cpu(why) => (NamedDevice::cpu(), why),
        Pick::Gpu(gpu, why) => (gpu.named_device()?, why),
        Pick::Fastest(gpus) => return Ok((Choice::Fastest(gpus), None)),
    };
    Ok((Choice::Fixed(device), Some(why)))
}

/// The command that builds the program with GPU support.
pub const BUILD: &str =
    "cargo run --release --features gpu, or cargo install --path crates/ae-cli --features gpu";

/// The GPUs of the machine.
enum Detected {
    /// Those that drivers report.
    Gpus(Vec<Gpu>),
    /// Those that the system reports to a program built without GPU support.
    NotBuilt(Vec<SystemGpu>),
}

impl Detected {
    fn find() -> Self {
        match cfg!(any(feature = "wgpu", feature = "cuda", feature = "rocm")) {
            true => Self::Gpus(gpus()),
            false => Self::NotBuilt(system::gpus()),
        }
    }
}

/// Whether a software driver counts as a GPU, for tests.
fn software_counts() -> bool {
    std::env::var("AE_REQUIRE").is_ok_and(|names| names.split(',').any(|name| name == "wgpu"))
}

/// The CPU's key in the cache of measurements; the number of threads may be limited from outside.
fn cpu_identity() -> String {
    format!("{}, {} threads", cpu_name(), ae_kernels::num_threads())
}

/// The model of the CPU, where the system reports it, and its number of cores.
pub fn cpu_name() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let cores = format!("{cores} core{}", if cores == 1 { "" } else { "s" });
    model.map_or(cores.clone(), |model| format!("{model}, {cores}"))
}
