//! A table that is on the disk row by row.

use std::fs::File;
use std::io::Write;

use crate::Result;
use crate::options::Options;

pub struct Sheet {
    file: File,
    columns: usize,
}

impl Sheet {
    /// `name.csv`, in place of one that was there.
    pub fn new(options: &Options, name: &str, columns: &[&str]) -> Result<Self> {
        let path = options.out.join(format!("{name}.csv"));
        let file = File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut sheet = Self { file, columns: columns.len() };
        sheet.row(&columns.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        Ok(sheet)
    }

    pub fn row(&mut self, cells: &[String]) -> Result<()> {
        assert_eq!(cells.len(), self.columns, "a cell for each column");
        let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        // One write, which whoever stops this program finds whole.
        self.file.write_all(format!("{}\n", cells.join(",")).as_bytes())?;
        Ok(self.file.flush()?)
    }
}

fn quoted(cell: &str) -> String {
    match cell.contains([',', '"', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}

/// The name of a section, on the standard output.
pub fn title(name: &str, options: &Options) {
    println!("\n== {name} ({:.0} s)", options.deadline.elapsed());
}
