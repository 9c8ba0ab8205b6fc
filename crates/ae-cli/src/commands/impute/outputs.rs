//! The files that an imputation writes.

use std::path::{Path, PathBuf};

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
    end: String,
}

impl Outputs {
    pub fn new(out: &Path, draws: usize, saves: bool) -> Self {
        let beside = |end: &str| out.with_extension(end);
        let end =
            out.extension().map_or_else(|| "csv".into(), |end| end.to_string_lossy().into_owned());
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
        self.draws.join(format!("{}.{}", number + 1, self.end))
    }

    pub fn all(&self) -> Vec<PathBuf> {
        let saved = self.saves.then(|| self.imputer.clone());
        let own = [self.table.clone(), self.report.clone()].into_iter().chain(saved);
        own.chain((0..self.count).map(|number| self.draw(number))).collect()
    }

    /// Checks before anything is computed that they can be written, none is an input, and, unless `force`,
    /// none exists.
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
        let same = |a: &Path, b: &Path| match (a.canonicalize(), b.canonicalize()) {
            (Ok(a), Ok(b)) => a == b,
            _ => false,
        };
        for path in &all {
            if inputs.iter().any(|input| same(input, path)) {
                let message = format!("{}: is read; write to another file", path.display());
                return Err(Error::usage(message));
            }
        }
        if let Some(path) = all.iter().find(|path| path.exists() && !force) {
            let message =
                format!("{}: exists; give another --out, or --force to replace it", path.display());
            return Err(Error::usage(message));
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
        Ok(())
    }

    /// Makes the folder of the draws, if there are any.
    pub fn make_folder(&self) -> Result<()> {
        match self.count {
            0 => Ok(()),
            _ => std::fs::create_dir_all(&self.draws).map_err(Error::io(&self.draws)),
        }
    }

    /// The files in a line.
    pub fn list(&self) -> String {
        let draws = match self.count {
            0 => None,
            count => Some(format!("{} to {count}.{}", self.draw(0).display(), self.end)),
        };
        let saved = self.saves.then(|| self.imputer.display().to_string());
        let files = std::iter::once(self.table.display().to_string()).chain(draws).chain(saved);
        let files = files.chain(std::iter::once(self.report.display().to_string()));
        files.collect::<Vec<_>>().join("  ")
    }
}
