//! Measured speeds of devices, in the user's cache: the same training need not try them again.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ae_data::DataDirs;
use serde::{Deserialize, Serialize};

use crate::TrialJob;

/// Maximum age: a machine may have been busy, hot or on battery.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Maximum number of entries; the oldest are dropped.
const MAX_ENTRIES: usize = 200;

/// Speeds of devices, as this build of the program measured them: another build starts with none. A file that
/// cannot be read or written counts as empty.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RateCache {
    program: String,
    rates: Vec<Rate>,
    #[serde(skip)]
    path: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Rate {
    /// The device and its driver.
    device: String,
    #[serde(rename = "training")]
    job: String,
    key: String,
    samples_per_second: f64,
    /// Seconds since 1970.
    measured: u64,
}

impl RateCache {
    pub fn read() -> Self {
        let folder = DataDirs::default().cache_dir;
        Self::of(folder.map(|folder| folder.join("devices.json")), &program(), now())
    }

    fn of(path: Option<PathBuf>, program: &str, now: u64) -> Self {
        let text = path.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        let read: Option<Self> = text.and_then(|text| serde_json::from_str(&text).ok());
        let mut cache = read.filter(|cache| cache.program == program).unwrap_or_default();
        let is_new = |rate: &Rate| {
            rate.measured <= now
                && now - rate.measured < MAX_AGE.as_secs()
                && rate.samples_per_second.is_finite()
                && rate.samples_per_second > 0.0
        };
        cache.rates.retain(is_new);
        Self { program: program.to_owned(), path, ..cache }
    }

    /// Samples per second of each device, if all are in the cache.
    pub fn rates(&self, devices: &[String], key: &str) -> Option<Vec<f64>> {
        let rate = |device: &String| {
            let found = self.rates.iter().rfind(|it| it.device == *device && it.key == key);
            found.map(|it| it.samples_per_second)
        };
        devices.iter().map(rate).collect()
    }

    /// Trainings that were tried on a device, with samples per second.
    pub fn of_device(&self, device: &str) -> impl Iterator<Item = (&str, f64)> {
        let rates = self.rates.iter().filter(move |it| it.device == device);
        rates.map(|it| (it.job.as_str(), it.samples_per_second))
    }

    /// Stores measurements.
    pub fn add(&mut self, devices: &[String], rates: &[f64], job: &TrialJob) {
        self.insert(devices, rates, &job.title, &job.key, now());
        self.write();
    }

    pub(super) fn insert(
        &mut self,
        devices: &[String],
        rates: &[f64],
        job: &str,
        key: &str,
        now: u64,
    ) {
        self.rates.retain(|it| it.key != key || !devices.contains(&it.device));
        self.rates.extend(devices.iter().zip(rates).map(|(device, rate)| Rate {
            device: device.clone(),
            job: job.to_owned(),
            key: key.to_owned(),
            samples_per_second: *rate,
            measured: now,
        }));
        let old = self.rates.len().saturating_sub(MAX_ENTRIES);
        self.rates.drain(..old);
    }

    fn write(&self) {
        let (Some(path), Ok(text)) = (&self.path, serde_json::to_string_pretty(self)) else {
            return;
        };
        // What cannot be stored is measured again.
        let _ = path.parent().map(std::fs::create_dir_all);
        let _ = ae_files::write_atomically(path, |file| file.write_all(text.as_bytes()));
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// This build of the program: its version, and the size and date of its file.
fn program() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let of_file = |path: &Path| {
        let about = path.metadata().ok()?;
        let date = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(format!("{version}, {} bytes of {}", about.len(), date.as_nanos()))
    };
    let path = std::env::current_exe().ok();
    path.and_then(|path| of_file(&path)).unwrap_or_else(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measurements_expire_with_age_and_with_the_build() {
        let folder = tempfile::tempdir().unwrap();
        let path = Some(folder.path().join("cache/devices.json"));
        let devices = ["CPU".to_owned(), "Voodoo2, driver 3".to_owned()];
        let mut cache = RateCache::of(path.clone(), "1", 1000);
        assert_eq!(cache.rates(&devices, "conv"), None);
        cache.insert(&devices, &[5.0, 7.0], "conv", "conv", 1000);
        cache.insert(&devices, &[6.0, 8.0], "conv", "conv", 1001);
        cache.write();
        let again = |program, now| RateCache::of(path.clone(), program, now);
        let day = MAX_AGE.as_secs();
        assert_eq!(again("1", 1001).rates(&devices, "conv"), Some(vec![6.0, 8.0]));
        assert_eq!(again("1", 1001).rates.len(), 2);
        assert_eq!(again("1", 1000 + day).rates(&devices, "conv"), Some(vec![6.0, 8.0]));
        for (cache, devices, key) in [
            (again("1", 1001), &devices, "dense"),
            (again("1", 1001), &["CPU".to_owned(), "Voodoo2, driver 4".to_owned()], "conv"),
            (again("1", 1001 + day), &devices, "conv"),
            // The clock was set back.
            (again("1", 900), &devices, "conv"),
            (again("2", 1001), &devices, "conv"),
        ] {
            assert_eq!(cache.rates(devices, key), None);
        }
        let cache = again("1", 1001);
        assert_eq!(cache.of_device(&devices[1]).collect::<Vec<_>>(), [("conv", 8.0)]);
        std::fs::write(path.clone().unwrap(), "{\"program\": 3").unwrap();
        assert_eq!(again("1", 1001).rates, []);
    }

    #[test]
    fn the_oldest_entries_are_dropped() {
        let mut cache = RateCache::of(None, "1", 1000);
        for number in 0..MAX_ENTRIES + 5 {
            cache.insert(&["CPU".to_owned()], &[1.0], "dense", &number.to_string(), 1000);
        }
        assert_eq!(cache.rates.len(), MAX_ENTRIES);
        assert_eq!(cache.rates(&["CPU".to_owned()], "4"), None);
        assert_eq!(cache.rates(&["CPU".to_owned()], "5"), Some(vec![1.0]));
    }
}
