//! Measures the time that a GPU takes for some work.

use burn::tensor::Device;
use burn_cubecl::cubecl::client::Client;
use burn_cubecl::cubecl::future::block_on;
use burn_cubecl::cubecl::profile::TimingMethod;

/// The clock of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The device's timestamps, from the first launch to the end of the last.
    Device,
    /// The host's clock, between two synchronisations with the device.
    Host,
}

/// A measured time.
#[derive(Clone, Copy, Debug)]
pub struct Lap {
    /// The time.
    pub seconds: f64,
    /// The clock that measured it.
    pub clock: Clock,
}

/// Measures the work of this thread on a device.
pub struct Stopwatch {
    client: Client,
}

impl Stopwatch {
    /// `None` if the device is no GPU.
    pub fn new(device: &Device) -> Option<Self> {
        Some(Self { client: super::layer::random([1], device)?.client })
    }

    /// Waits until the device has finished all launches.
    ///
    /// # Errors
    /// If the device was lost or a launch failed.
    pub fn wait(&self) -> Result<(), String> {
        block_on(self.client.sync()).map_err(|error| error.to_string())
    }

    /// Runs `work` and measures the time on the device.
    ///
    /// # Errors
    /// If the device reports no time.
    pub fn time(&self, work: impl FnOnce()) -> Result<Lap, String> {
        self.wait()?;
        let window = self.client.profile_start().map_err(|error| error.to_string())?;
        work();
        let found = self.client.profile_end(window).map_err(|error| error.to_string())?;
        let clock = match found.timing_method() {
            TimingMethod::Device => Clock::Device,
            TimingMethod::System => Clock::Host,
        };
        let ticks = block_on(found.resolve()).ok_or("the device gave no time")?;
        Ok(Lap { seconds: ticks.duration().as_secs_f64(), clock })
    }
}
