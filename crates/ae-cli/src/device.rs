//! The one place where a device is chosen.

mod fastest;
mod gpu;
mod known;
mod list;
mod pick;
mod present;
mod trial;
mod wanted;
#[cfg(feature = "wgpu")]
mod wgpu;

use burn::tensor::Device;

use crate::error::Result;
use gpu::{Gpu, Kind, gpus};
use known::Known;
pub use list::list;
use pick::{Pick, choose};
use present::Present;
pub use trial::Training;
pub use wanted::Wanted;

/// A device ready for use, and its name.
#[derive(Clone, Debug)]
pub struct Opened {
    pub device: Device,
    pub name: String,
}

impl Opened {
    fn cpu() -> Self {
        Self { device: Device::flex(), name: cpu_name() }
    }
}

/// The device of a training.
pub enum Choice {
    Made(Opened),
    /// To be made by speed, of the CPU and these.
    Open(Vec<Gpu>),
}

impl Choice {
    /// The device that is chosen; while none is, the CPU.
    pub fn for_now(&self) -> Opened {
        match self {
            Self::Made(opened) => opened.clone(),
            Self::Open(_) => Opened::cpu(),
        }
    }

    /// The device of that name, if the choice is open and it is there.
    pub fn by_name(&self, name: &str) -> Option<Opened> {
        let Self::Open(gpus) = self else { return None };
        let cpu = std::iter::once(Opened::cpu());
        cpu.chain(
            gpus.iter().filter(|gpu| gpu.full_name() == name).filter_map(|it| it.opened().ok()),
        )
        .find(|opened| opened.name == name)
    }

    /// The device to train on. Where the choice is open, tries a few steps on each and says in a line which
    /// is taken; where nothing is trained in steps (none), takes the CPU.
    pub fn decide(&self, training: impl FnOnce() -> Option<Training>) -> Result<Opened> {
        let gpus = match self {
            Self::Made(opened) => return Ok(opened.clone()),
            Self::Open(gpus) => gpus,
        };
        let (opened, line) = match training() {
            Some(training) => fastest::fastest(gpus, &training, &mut Known::read())?,
            None => (Opened::cpu(), format!("CPU: {}, since this is short work", cpu_name())),
        };
        eprintln!("{line}");
        Ok(opened)
    }
}

/// Opens the device for what does not train, and says in one line which and why: `auto` is the CPU, which is
/// done before a GPU has begun.
pub fn open(wanted: &Wanted) -> Result<Opened> {
    if *wanted == Wanted::Auto {
        eprintln!("CPU: {}, since this is short work", cpu_name());
        return Ok(Opened::cpu());
    }
    Ok(choice(wanted)?.for_now())
}

/// Chooses the device of a training, and says in one line which and why, unless it is still to be seen which
/// is faster.
pub fn choice(wanted: &Wanted) -> Result<Choice> {
    // Whoever asks for the CPU wants no driver started: it may be what fails.
    let others = if *wanted == Wanted::Cpu { Others::Gpus(Vec::new()) } else { Others::find() };
    let (choice, why) = match choose(wanted, others, software_counts())? {
        Pick::Cpu(why) => (Opened::cpu(), why),
        Pick::Gpu(gpu, why) => (gpu.opened()?, why),
        Pick::Fastest(gpus) => return Ok(Choice::Open(gpus)),
    };
    eprintln!("{why}");
    Ok(Choice::Made(choice))
}

/// How a program that reaches a GPU is built.
pub const BUILD: &str =
    "cargo run --release --features gpu, or cargo install --path crates/ae-cli --features gpu";

/// What there is besides the CPU.
pub enum Others {
    /// What drivers answer.
    Gpus(Vec<Gpu>),
    /// This program is built for the CPU alone, though these are there.
    NotBuilt(Vec<Present>),
}

impl Others {
    pub fn find() -> Self {
        match cfg!(any(feature = "wgpu", feature = "cuda", feature = "rocm")) {
            true => Self::Gpus(gpus()),
            false => Self::NotBuilt(present::present()),
        }
    }
}

/// Whether a software driver is to be taken for a GPU, for tests.
fn software_counts() -> bool {
    std::env::var("AE_REQUIRE").is_ok_and(|names| names.split(',').any(|name| name == "wgpu"))
}

/// What measurements of the CPU are known by: how many threads work there may be limited from outside.
fn cpu_identity() -> String {
    format!("{}, {} threads", cpu_name(), ae_kernels::workers())
}

/// The model of the CPU where the system tells, and its cores.
pub fn cpu_name() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let cores = format!("{cores} core{}", if cores == 1 { "" } else { "s" });
    model.map_or(cores.clone(), |model| format!("{model}, {cores}"))
}
