//! What the device is, and what a launch costs.

use std::time::Instant;

use ae_kernels::atlas::{Direction, Layer, Stopwatch, Work, properties};
use autoencoders::burn::backend::wgpu::wgpu::{self, Backends, Instance, InstanceDescriptor};
use autoencoders::burn::tensor::{Device, Distribution, Tensor};

use crate::options::Options;
use crate::sheet::{Sheet, title};
use crate::{Result, backends, statistics};

/// The first device of wgpu; a software driver is refused where it is not asked for.
pub fn find(options: &Options) -> Result<Device> {
    let required = if options.is_toy { "wgpu" } else { "" };
    let found = backends::all(required).into_iter().find(|(name, _)| *name == "wgpu");
    let hint = "the atlas needs a GPU; --toy takes a software driver";
    let device = found.ok_or("wgpu is listed")?.1.map_err(|why| format!("{why}: {hint}"))?;
    let kind = adapter(&device).map(|info| info.device_type);
    if !options.is_toy && matches!(kind, None | Some(wgpu::DeviceType::Cpu)) {
        let name = backends::name(&device).unwrap_or_default();
        return Err(format!("{name}: {hint}").into());
    }
    Ok(device)
}

fn adapter(device: &Device) -> Option<wgpu::AdapterInfo> {
    let name = backends::name(device)?;
    let backends = Backends::VULKAN | Backends::METAL | Backends::DX12;
    let descriptor = InstanceDescriptor::new_without_display_handle();
    let instance = Instance::new(InstanceDescriptor { backends, ..descriptor });
    let adapters = pollster::block_on(instance.enumerate_adapters(backends));
    adapters.iter().map(wgpu::Adapter::get_info).find(|info| info.name == name)
}

pub fn section(device: &Device, options: &Options) -> Result<()> {
    title("device", options);
    let mut sheet = Sheet::new(options, "device", &["what", "value"])?;
    let mut row = |what: &str, value: String| {
        println!("{what:40} {value}");
        sheet.row(&[what.to_owned(), value])
    };
    for (what, value) in properties(device) {
        row(what, value)?;
    }
    if let Some(info) = adapter(device) {
        row("kind", format!("{:?}", info.device_type))?;
        row("interface", info.backend.to_string())?;
        row("driver", format!("{} {}", info.driver, info.driver_info))?;
    }
    let stopwatch = Stopwatch::new(device).ok_or("a GPU keeps time")?;
    let [host, all] = launch_cost(device, &stopwatch, options)?;
    row("microseconds of the host for a launch", format!("{host:.2}"))?;
    row("microseconds until a tiny launch is done", format!("{all:.2}"))?;
    let (rate, of) = copy_rate(device, &stopwatch, options)?;
    row("GB/s of a sum of a tensor and a number", format!("{rate:.1}"))?;
    row("MB of that tensor", of.to_string())
}

/// Microseconds for each of many launches that do next to nothing, until they were launched and until the device was
/// done.
fn launch_cost(device: &Device, stopwatch: &Stopwatch, options: &Options) -> Result<[f64; 2]> {
    let work = Work::new(device, Layer::Linear([1, 1]), Direction::Forward, 1).ok_or("a GPU")?;
    let count = options.few(2000, 50);
    let mut laps = [Vec::new(), Vec::new()];
    // The first round compiles the kernel.
    for round in 0..6 {
        stopwatch.wait()?;
        let began = Instant::now();
        (0..count).for_each(|_| work.run());
        let launched = began.elapsed();
        stopwatch.wait()?;
        if round > 0 {
            laps[0].push(launched.as_secs_f64());
            laps[1].push(began.elapsed().as_secs_f64());
        }
    }
    Ok(laps.map(|laps| 1e6 * statistics::median(&laps) / count as f64))
}

/// What memory gives: a tensor read and another written.
fn copy_rate(device: &Device, stopwatch: &Stopwatch, options: &Options) -> Result<(f64, usize)> {
    let megabytes = options.few(256, 4);
    let tensor = Tensor::<1>::random([megabytes << 18], Distribution::Default, device);
    let mut laps = Vec::new();
    for round in 0..6 {
        let lap = stopwatch.time(|| drop(tensor.clone() + 1.0))?;
        if round > 0 {
            laps.push(lap.seconds);
        }
    }
    let bytes = 2 * (megabytes << 20);
    Ok((bytes as f64 / statistics::median(&laps) / 1e9, megabytes))
}
