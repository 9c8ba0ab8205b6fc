//! A disk without room: what is said, and that no file is left half written.
//!
//! The tests run this program again with a limit to the size of files, at which the system refuses to write more,
//! as on a full disk. (`/dev/full` cannot take the place of a file that is written in a folder.)
#![cfg(unix)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use ae_data::{Options, Samples, Shape, open, write};

/// Runs the ignored test `name` on a folder, with files of at most 64 to 128 KiB. Returns what it printed.
fn limited(name: &str, folder: &Path) -> String {
    // Without the trap the system ends the program. The unit of the limit differs between shells.
    let script = "trap '' XFSZ; ulimit -f 128; exec \"$0\" --exact \"$1\" --ignored --nocapture";
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(program).arg(name);
    let output = command.env("TMPDIR", folder).env("AE_FOLDER", folder).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn folder() -> PathBuf {
    std::env::var_os("AE_FOLDER").expect("a folder").into()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn error_of(name: &str) -> String {
    let options = Options { resident_limit: Some(1 << 10), ..Options::default() };
    let path = folder().join(name);
    open(path.to_str().unwrap(), &options, &mut |_| ()).unwrap_err().to_string()
}

#[test]
fn table_that_does_not_fit_into_the_temporary_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..40_000).map(|row| format!("{row}.5,{}\n", row % 7)).collect();
    fs::write(folder.path().join("table.csv"), format!("a,b\n{rows}")).unwrap();
    let said = limited("child_reads_a_table", folder.path());
    assert!(
        said.contains("table.csv: the disk of the temporary file with its rows is full ("),
        "{said}"
    );
    assert!(said.contains("; set TMPDIR to a folder on another one"), "{said}");
    assert_eq!(names(folder.path()), ["table.csv"]);
}

#[test]
#[ignore = "run by another test"]
fn child_reads_a_table() {
    println!("{}", error_of("table.csv"));
}

#[test]
fn array_that_cannot_be_unpacked_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (100000, 2)}";
    let length = (header.len() as u16).to_le_bytes();
    let array = [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &[0; 800_000]].concat();
    let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
    packed.write_all(&array).unwrap();
    fs::write(folder.path().join("array.npy.gz"), packed.finish().unwrap()).unwrap();
    let said = limited("child_reads_an_array", folder.path());
    assert!(
        said.contains("array.npy.gz: the disk of the temporary file with its rows is full ("),
        "{said}"
    );
    assert_eq!(names(folder.path()), ["array.npy.gz"]);
}

#[test]
#[ignore = "run by another test"]
fn child_reads_an_array() {
    println!("{}", error_of("array.npy.gz"));
}

#[test]
fn export_without_room_leaves_the_file_of_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("training.npy");
    fs::write(&path, b"of before").unwrap();
    let said = limited("child_exports", folder.path());
    let expected = "training.npy: no room for it on the disk (";
    assert!(
        said.contains(expected) && said.contains("nothing was changed, free some space"),
        "{said}"
    );
    assert_eq!(names(folder.path()), ["training.npy"]);
    assert_eq!(fs::read(&path).unwrap(), b"of before");
}

#[test]
#[ignore = "run by another test"]
fn child_exports() {
    let samples = Samples::from_floats(vec![0.5; 200_000], Shape::table(2)).unwrap();
    println!("{}", write::write_npy(&folder(), "training", Some(&samples)).unwrap_err());
}
