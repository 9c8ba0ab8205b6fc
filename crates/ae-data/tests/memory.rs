//! Memory depends on the bytes of a file, not on the sizes in its header.
//!
//! This is one test in its own process, because it measures the process: the peak of the resident set
//! on Linux (`VmHWM`).
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::LazyLock;

use ae_data::{Error, Method, Preprocessing, Samples, Shape, idx, npy, svmlight, table};

const MIB: u64 = 1 << 20;

/// A line of `/proc/self/status`, in bytes.
fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// The memory of the process before the first attempt. (Later it also has freed memory, which the
/// next attempt may reuse unnoticed.)
static START: LazyLock<u64> = LazyLock::new(|| status("VmRSS:"));

/// Runs an attempt that may raise the peak by at most `bytes` above the start. Attempts with small limits run
/// first.
fn spends<T>(bytes: u64, attempt: impl FnOnce() -> T) -> T {
    let before = *START;
    let result = attempt();
    let grown = status("VmHWM:").saturating_sub(before);
    assert!(grown <= bytes, "needed {} MiB of memory, not {}", grown / MIB, bytes / MIB);
    result
}

/// The same for an attempt that must fail.
fn within(bytes: u64, attempt: impl FnOnce() -> Option<Error>) -> String {
    spends(bytes, attempt).expect("an error").to_string()
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
fn memory_depends_on_the_bytes_not_on_the_header() {
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

    sparse(&path);
    commas(&path);
    #[cfg(feature = "images")]
    {
        images::refused(folder.path());
        images::read(folder.path());
    }

    // The bomb may inflate to 16 MiB and a hundred times its half megabyte, not to 512 MiB.
    let bomb = bomb(folder.path());
    let error = within(160 * MIB, || idx::read_images(&bomb).err());
    assert!(error.contains("inflated"), "{error}");
    let error = within(160 * MIB, || table::read(&bomb, None).err());
    assert!(error.contains("zero bytes"), "{error}");
    fs::write(&bomb, gzip(&[b" ".repeat(1023), b"\n".to_vec()].concat().repeat(1024)).repeat(512))
        .unwrap();
    let error = within(160 * MIB, || table::read(&bomb, None).err());
    assert!(error.contains("inflated"), "{error}");

    #[cfg(feature = "download")]
    archive(folder.path());
    robust();
}

/// 32 MiB of pixels of one channel, whose quartiles are found without 256 MiB of numbers.
fn robust() {
    let pixels = (0..32 * MIB).map(|at| (at * 97 % 101) as u8).collect();
    let samples = Samples::from_bytes(pixels, Shape::image(1, 1024, 1024)).unwrap();
    spends(192 * MIB, || Preprocessing::fit(Method::Robust, &samples)).unwrap();
}

/// 135 rows of a million columns are too many; 48 MiB of rows follow, which are not kept.
fn sparse(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    file.write_all("1 1000000:1\n".repeat(135).as_bytes()).unwrap();
    let block = "1 1:1 2:2 3:3\n".repeat(1 << 16);
    (0..54).for_each(|_| file.write_all(block.as_bytes()).unwrap());
    drop(file);
    let error = within(16 * MIB, || svmlight::read(path).err());
    assert!(error.contains("got at least 135 rows of 1000000 columns"), "{error}");
}

/// 17 million empty cells in 17 kB of gzip, in the first row or a later one; and a row of as many
/// as there may be.
fn commas(path: &Path) {
    let commas = vec![b','; 17 * MIB as usize];
    for (start, line) in [(&b""[..], 1), (b"1,2\n3,4\n", 3)] {
        let bomb = gzip(&[start, &commas].concat());
        assert!(bomb.len() < 18_000);
        fs::write(path, bomb).unwrap();
        let error = within(64 * MIB, || table::read(path, None).err());
        let expected = format!("line {line}: expected at most 1048576 columns, got more");
        assert!(error.ends_with(&expected), "{error}");
    }
    fs::write(path, gzip(&commas[..MIB as usize - 1])).unwrap();
    let error = within(64 * MIB, || table::read(path, None).err());
    assert!(
        error.ends_with("expected at least one row of numbers, got only empty cells"),
        "{error}"
    );
}

#[cfg(feature = "images")]
mod images {
    use super::*;
    use ae_data::images::read_folder;
    use std::io::Read;

    fn chunk(kind: &[u8; 4], bytes: &[u8]) -> Vec<u8> {
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(bytes);
        let length = (bytes.len() as u32).to_be_bytes();
        [&length, &kind[..], bytes, &crc.sum().to_be_bytes()].concat()
    }

    fn zeros(count: u64) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(vec![], flate2::Compression::best());
        std::io::copy(&mut std::io::repeat(0).take(count), &mut encoder).unwrap();
        encoder.finish().unwrap()
    }

    /// A black PNG of 8 bits per pixel, with a colour profile of this many zeros.
    fn png(side: u32, profile: u64) -> Vec<u8> {
        let header = [&side.to_be_bytes()[..], &side.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
        let profile = [&b"name\0\0"[..], &zeros(profile)].concat();
        let rows = zeros(u64::from(side) * u64::from(side + 1)); // a filter before each row
        let chunks = [
            chunk(b"IHDR", &header),
            chunk(b"iCCP", &profile),
            chunk(b"IDAT", &rows),
            chunk(b"IEND", &[]),
        ];
        [b"\x89PNG\r\n\x1a\n".to_vec(), chunks.concat()].concat()
    }

    /// A progressive JPEG of one scan, in which every block has the colour of the one before.
    fn jpeg(side: u16) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(vec![]);
        image::RgbImage::new(8, 8).write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
        let mut bytes = bytes.into_inner();
        let at = |marker: u8| bytes.windows(2).position(|pair| pair == [0xff, marker]).unwrap();
        let (frame, scan) = (at(0xc0), at(0xda));
        bytes[frame + 1] = 0xc2;
        bytes[frame + 5..frame + 9].copy_from_slice(&[side.to_be_bytes(); 2].concat());
        bytes.truncate(scan + 12);
        bytes.extend([0, 0, 0]); // the first coefficient of each block, as it is
        let blocks = usize::from(side).div_ceil(8).pow(2);
        bytes.resize(bytes.len() + (3 * blocks).div_ceil(4), 0); // two bits a block and colour
        bytes.extend(b"\xff\xd9");
        bytes
    }

    fn folder(at: &Path, name: &str, bytes: &[u8]) -> std::path::PathBuf {
        let folder = at.join(name.replace('.', "-"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), bytes).unwrap();
        folder
    }

    /// An image that would take too much memory is refused by its header.
    pub fn refused(at: &Path) {
        for (name, bytes) in [("grey.png", png(9000, 1)), ("progressive.jpg", jpeg(6000))] {
            let folder = folder(at, name, &bytes);
            let error = within(64 * MIB, || read_folder(&folder, None).err());
            assert!(error.contains("pixels, which take 32"), "{error}");
        }
    }

    /// Reading takes at most the limit for an image (here 64 MiB) and the pixels, which exist twice at
    /// the end.
    pub fn read(at: &Path) {
        let folder_of_notes = folder(at, "notes.png", &png(16, 100 * MIB));
        let (samples, _) = spends(64 * MIB, || read_folder(&folder_of_notes, None)).unwrap();
        assert_eq!(samples.width(), 16 * 16);
        for (name, bytes, side) in
            [("grey.png", png(4096, 1), 4096), ("progressive.jpg", jpeg(2720), 2720)]
        {
            let folder = folder(at, name, &bytes);
            let (samples, _) = spends(112 * MIB, || read_folder(&folder, None)).unwrap();
            assert_eq!(samples.width(), side * side);
        }
    }
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
    let dirs = ae_data::DataDirs {
        data_dir: Some(folder.to_owned()),
        cache_dir: Some(cache.clone()),
        download: false,
    };
    let load = || ae_data::mnist::load("emnist-mnist", &dirs, &mut |_| ()).err();
    let error = within(192 * MIB, load);
    assert!(error.contains("gzip.zip: expected at most 2"), "{error}");
    assert_eq!(fs::read_dir(cache.join("emnist")).unwrap().count(), 0);
}
