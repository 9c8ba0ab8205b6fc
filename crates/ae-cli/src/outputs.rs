//! What a command may write: nothing that it reads, and over other files with `--force` alone.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Refuses a file for results that is a folder or one of the inputs, lies in a folder of inputs as one of them would, or
/// exists, unless it is to be replaced.
pub fn check_file<'a>(
    out: &Path,
    force: bool,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<()> {
    if out.is_dir() {
        return refuse(out, "is a folder; give another name");
    }
    let place = real(out);
    for input in inputs.into_iter().filter_map(|input| input.canonicalize().ok()) {
        // A new table in a folder of images is none of them.
        let is_input = match out.exists() {
            true => place.starts_with(&input),
            false => input.is_dir() && place.starts_with(&input) && is_image(out),
        };
        if is_input && place == input {
            return refuse(out, "is read; write to another file");
        }
        if is_input {
            let folder = input.display();
            return refuse(out, &format!("is in {folder}, which is read; write to another folder"));
        }
    }
    match out.exists() && !force {
        true => refuse(out, "exists; give another name, or --force to replace it"),
        false => Ok(()),
    }
}

/// Refuses a folder for results that has files, unless it is to be written into, or that an input is in.
pub fn check_folder<'a>(
    out: &Path,
    force: bool,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<()> {
    if out.is_file() {
        return refuse(out, "expected a folder, got a file");
    }
    let is_used = std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    if is_used && !force {
        return refuse(
            out,
            "the folder has files already; give another one with --out, or --force",
        );
    }
    let folder = real(out);
    for input in inputs {
        let Ok(path) = input.canonicalize() else { continue };
        let is_same = folder == path;
        if is_same || path.parent() == Some(&folder) {
            let (input, out) = (input.display(), out.display());
            return Err(Error::usage(match is_same {
                true => format!("{out}: is read; give another folder with --out"),
                false => format!(
                    "{input}: it is in the folder {out} that the results go to; give another one with --out"
                ),
            }));
        }
    }
    Ok(())
}

fn refuse(path: &Path, why: &str) -> Result<()> {
    Err(Error::usage(format!("{}: {why}", path.display())))
}

/// The path without links, also of a file that does not exist in a folder that does.
fn real(path: &Path) -> PathBuf {
    let absolute = || std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let beside = || {
        let absolute = absolute();
        Some(absolute.parent()?.canonicalize().ok()?.join(absolute.file_name()?))
    };
    path.canonicalize().ok().or_else(beside).unwrap_or_else(absolute)
}

fn is_image(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("png"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(result: Result<()>) -> String {
        result.map_or_else(|error| error.to_string(), |()| "nothing".to_owned())
    }

    #[test]
    fn inputs_are_not_written_over_even_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("photos")).unwrap();
        for name in ["table.csv", "codes.csv", "photos/a.png"] {
            std::fs::write(at(name), "a").unwrap();
        }
        let inputs = [at("table.csv"), at("photos")];
        let check = |name: &str, force| {
            refused(check_file(&at(name), force, inputs.iter().map(PathBuf::as_path)))
        };
        assert_eq!(check("new.csv", false), "nothing");
        assert!(check("codes.csv", false).contains("--force"));
        assert_eq!(check("codes.csv", true), "nothing");
        for name in ["table.csv", "photos/../table.csv"] {
            assert!(check(name, true).contains("is read; write to another file"), "{name}");
        }
        assert!(check("photos/a.png", true).contains("which is read"));
        assert!(check("photos/sheet.png", false).contains("which is read"));
        assert_eq!(check("photos/codes.csv", false), "nothing");
        assert!(check("photos", true).contains("is a folder"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_an_input_is_the_input() {
        let folder = tempfile::tempdir().unwrap();
        let [table, link] = ["table.csv", "link.csv"].map(|name| folder.path().join(name));
        std::fs::write(&table, "a").unwrap();
        std::os::unix::fs::symlink(&table, &link).unwrap();
        assert!(refused(check_file(&link, true, [&*table])).contains("is read"));
    }

    #[test]
    fn results_go_to_no_folder_that_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("photos/deep")).unwrap();
        std::fs::write(at("photos/a.png"), "a").unwrap();
        let photos = at("photos");
        let image = at("photos/a.png");
        let check = |name: &str| refused(check_folder(&at(name), true, [&*photos]));
        assert!(check("photos").contains("is read"));
        assert_eq!(check("photos/deep"), "nothing");
        assert_eq!(check("results"), "nothing");
        assert!(refused(check_folder(&photos, true, [&*image])).contains("it is in the folder"));
    }
}
