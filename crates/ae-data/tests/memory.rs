//! What a file claims costs no memory; only what it holds does.
//!
//! One test in a process of its own, because it measures the process: the peak of the resident set
//! as Linux counts it (`VmHWM`).
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use ae_data::{Error, idx, npy};

const MIB: u64 = 1 << 20;

/// A line of `/proc/self/status`, in bytes.
fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Runs what must fail, within `bytes` of further memory and 20 seconds.
fn within(bytes: u64, attempt: impl FnOnce() -> Option<Error>) -> String {
    let (before, start) = (status("VmRSS:"), Instant::now());
    let error = attempt().expect("an error").to_string();
    let grown = status("VmHWM:").saturating_sub(before);
    assert!(grown <= bytes, "{error}\nneeded {} MiB of memory", grown / MIB);
    assert!(start.elapsed() < Duration::from_secs(20), "{error}\ntook {:?}", start.elapsed());
    error
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The header of IDX images of 1024 x 1024 pixels, that is, of 1 MiB each.
fn header(count: u32) -> Vec<u8> {
    [0x803, count, 1024, 1024].into_iter().flat_map(u32::to_be_bytes).collect()
}

/// 512 MiB of zeros in half a megabyte: the same member again and again.
fn bomb(folder: &Path) -> std::path::PathBuf {
    let (path, megabyte) = (folder.join("bomb"), gzip(&vec![0; MIB as usize]));
    let bytes = [gzip(&header(512)), megabyte.repeat(512)].concat();
    assert!((bytes.len() as u64) < MIB);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn memory_follows_the_bytes_not_the_promises() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let write = |bytes: &[u8]| fs::write(&path, bytes).unwrap();

    let promise = header(u32::MAX); // 4 PiB
    for bytes in [promise.clone(), gzip(&promise)] {
        write(&bytes);
        let error = within(8 * MIB, || idx::read_images(&path).err());
        assert!(error.contains("cut short"), "{error}");
    }
    write(b"\x93NUMPY\x02\x00\xff\xff\xff\xff"); // a header of 4 GiB
    within(8 * MIB, || npy::read(&path, None).err());
    let text = "{'descr': '<f8', 'fortran_order': True, 'shape': (4294967295, 1000)}";
    write(&[b"\x93NUMPY\x01\x00\x46\x00", text.as_bytes()].concat());
    let error = within(8 * MIB, || npy::read(&path, None).err());
    assert!(error.contains("cut short"), "{error}");

    // The bomb may inflate to 16 MiB and a hundred times its half megabyte, not to 512 MiB.
    let bomb = bomb(folder.path());
    let error = within(160 * MIB, || idx::read_images(&bomb).err());
    assert!(error.contains("inflated"), "{error}");
    let error = within(160 * MIB, || ae_data::table::read(&bomb, None).err());
    assert!(error.contains("inflated"), "{error}");

    #[cfg(feature = "download")]
    archive(folder.path());
}

/// An archive with a member of 64 MiB in 64 kB fills neither the memory nor the disk.
#[cfg(feature = "download")]
fn archive(folder: &Path) {
    let mut archive = zip::ZipWriter::new(fs::File::create(folder.join("gzip.zip")).unwrap());
    let name = "gzip/emnist-mnist-train-images-idx3-ubyte.gz";
    archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    for _ in 0..64 {
        archive.write_all(&vec![0; MIB as usize]).unwrap();
    }
    archive.finish().unwrap();
    let cache = folder.join("cache");
    let search = ae_data::Search {
        data_dir: Some(folder.to_owned()),
        cache_dir: Some(cache.clone()),
        download: false,
    };
    let load = || ae_data::mnist::load("emnist-mnist", &search, &mut |_| ()).err();
    let error = within(160 * MIB, load);
    assert!(error.contains("gzip.zip: expected at most 2"), "{error}");
    assert_eq!(fs::read_dir(cache.join("emnist")).unwrap().count(), 0);
}
