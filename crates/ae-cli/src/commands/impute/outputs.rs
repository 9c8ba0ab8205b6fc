//! The files that an imputation writes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::outputs::check_file;
use crate::{Error, Result};

/// The completed table, and the other files, which are named after it.
pub struct Outputs {
    pub table: PathBuf,
    /// `complete.imputer`
    pub imputer: PathBuf,
    /// `complete.report.html`
    pub report: PathBuf,
    /// `complete.draws/`
    draws: PathBuf,
    count: usize,
    saves: bool,
    end: OsString,
}

impl Outputs {
    pub fn new(out: &Path, draws: usize, saves: bool) -> Self {
        let beside = |end: &str| out.with_extension(end);
        let end = out.extension().map_or_else(|| "csv".into(), OsString::from);
        Self {
            table: out.to_owned(),
            imputer: beside("imputer"),
            report: beside("report.html"),
            draws: beside("draws"),
            count: draws,
            saves,
            end,
        }
    }

    pub fn draw(&self, number: usize) -> PathBuf {
        self.draws.join((number + 1).to_string()).with_extension(&self.end)
    }

    pub fn all(&self) -> Vec<PathBuf> {
        let saved = self.saves.then(|| self.imputer.clone());
        let own = [self.table.clone(), self.report.clone()].into_iter().chain(saved);
        own.chain((0..self.count).map(|number| self.draw(number))).collect()
    }

    /// Checks before anything is computed that they can be written, none is an input, and, unless `force`,
    /// none exists, nor a draw of an earlier run that would be left among those of this one.
    pub fn check(&self, inputs: &[&Path], force: bool) -> Result<()> {
        if self.table.file_name().is_none() || self.table.is_dir() {
            let message =
                format!("{}: expected the name of a table, got a folder", self.table.display());
            return Err(Error::usage(message));
        }
        if self.end.eq_ignore_ascii_case("gz") {
            let message =
                format!("{}: tables are written as text; leave .gz out", self.table.display());
            return Err(Error::usage(message));
        }
        let mut all = self.all();
        all.sort();
        if let Some(twice) = all.windows(2).find(|pair| pair[0] == pair[1]) {
            let message = format!(
                "{}: expected another name, this is that of another output",
                twice[0].display()
            );
            return Err(Error::usage(message));
        }
        let (stale, _) = self.earlier()?;
        for path in all.iter().chain(&stale) {
            check_file(path, true, inputs.iter().copied())?;
        }
        if self.count > 0 && self.draws.exists() && !self.draws.is_dir() {
            let message = format!(
                "{}: expected a folder, got a file; give another --out",
                self.draws.display()
            );
            return Err(Error::usage(message));
        }
        for path in &all {
            check_file(path, force, inputs.iter().copied())?;
        }
        if let (Some(path), false) = (stale.first(), force) {
            return Err(Error::usage(format!(
                "{}: is a draw of an earlier run and would be left among those of this one; give another \
                 --out, or --force to remove it",
                path.display()
            )));
        }
        let folder = match self.table.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            return Err(Error::usage(format!(
                "{}: no such folder; make it first",
                folder.display()
            )));
        }
        // A temporary file, of which nothing stays.
        let mut is_writable = false;
        let tried = ae_files::write_atomically(&self.table, |_| {
            is_writable = true;
            Err(std::io::Error::other("only tried"))
        });
        match tried {
            Err(error) if !is_writable => Err(Error::io(folder)(error)),
            _ => Ok(()),
        }
    }

    /// The files in the folder of draws that this run does not write: draws of earlier runs, and others.
    fn earlier(&self) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
        if !self.draws.is_dir() {
            return Ok((vec![], vec![]));
        }
        let (mut draws, mut others) = (vec![], vec![]);
        for entry in std::fs::read_dir(&self.draws).map_err(Error::io(&self.draws))? {
            let path = entry.map_err(Error::io(&self.draws))?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let number = stem.and_then(|stem| stem.parse::<usize>().ok());
            match number {
                Some(1..) if number <= Some(self.count) && path.extension() == Some(&self.end) => {}
                Some(1..) if path.extension() == Some(&self.end) => draws.push((number, path)),
                _ => others.push(path),
            }
        }
        draws.sort();
        others.sort();
        Ok((draws.into_iter().map(|(_, path)| path).collect(), others))
    }

    /// Makes the folder of the draws, if there are any, and removes those of earlier runs. Returns what a user
    /// has to know of files that are of no use with those of this run.
    pub fn make_folder(&self, model: Option<&Path>) -> Result<Vec<String>> {
        let mut notes = vec![];
        let (stale, others) = self.earlier()?;
        for path in &stale {
            std::fs::remove_file(path).map_err(Error::io(path))?;
        }
        if let [first, ..] = &stale[..] {
            let count = stale.len();
            notes.push(match count {
                1 => format!("{}, a draw of an earlier run, was removed", first.display()),
                _ => format!(
                    "{} and {} further draws of an earlier run were removed",
                    first.display(),
                    count - 1
                ),
            });
        }
        if self.count > 0 {
            std::fs::create_dir_all(&self.draws).map_err(Error::io(&self.draws))?;
            notes.extend(
                others.iter().map(|path| {
                    format!("{} was there before and is not of this run", path.display())
                }),
            );
        }
        let is_other = |model: &Path| match (model.canonicalize(), self.imputer.canonicalize()) {
            (Ok(model), Ok(other)) => model != other,
            _ => false,
        };
        if let Some(model) = model.filter(|model| is_other(model)) {
            notes.push(format!(
                "{} is of an earlier run; {} was filled in by {}",
                self.imputer.display(),
                self.table.display(),
                model.display()
            ));
        }
        Ok(notes)
    }

    /// The files in a line.
    pub fn list(&self) -> String {
        let draws = match self.count {
            0 => None,
            1 => Some(self.draw(0).display().to_string()),
            count => Some(format!("{} to {count}.{}", self.draw(0).display(), self.end.display())),
        };
        let saved = self.saves.then(|| self.imputer.display().to_string());
        let files = std::iter::once(self.table.display().to_string()).chain(draws).chain(saved);
        let files = files.chain(std::iter::once(self.report.display().to_string()));
        files.collect::<Vec<_>>().join("  ")
    }
}
