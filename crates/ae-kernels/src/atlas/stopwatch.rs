//! How long a GPU is at some work.

use burn::tensor::Device;
use burn_cubecl::cubecl::client::Client;
use burn_cubecl::cubecl::future::block_on;
use burn_cubecl::cubecl::profile::TimingMethod;

/// Whose clock a time is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The device's timestamps, from the first launch to the end of the last.
    Device,
    /// The host's clock, between two waits for the device.
    Host,
}

/// A time.
#[derive(Clone, Copy, Debug)]
pub struct Lap {
    /// How long it was.
    pub seconds: f64,
    /// By which clock.
    pub clock: Clock,
}

/// Measures the work of this thread on a device.
pub struct Stopwatch {
    client: Client,
}

impl Stopwatch {
    /// `None` where the device is no GPU.
    pub fn new(device: &Device) -> Option<Self> {
        Some(Self { client: super::random([1], device)?.client })
    }

    /// Waits until all that was launched is done.
    ///
    /// # Errors
    /// Where the device was lost, or could not do it.
    pub fn wait(&self) -> Result<(), String> {
        block_on(self.client.sync()).map_err(|error| error.to_string())
    }

    /// Runs `work`, and says how long the device was at it.
    ///
    /// # Errors
    /// Where the device gave no time.
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
