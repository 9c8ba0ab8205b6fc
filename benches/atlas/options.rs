//! What the command line asks for.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::deadline::Deadline;

pub const HELP: &str = "\
Measures this project's kernels on a GPU.

    cargo bench --features atlas --bench atlas -- [OPTIONS]

--minutes M       when to stop: 9
--out FOLDER      where its tables go, each row at once: target/atlas
--only LIST       checks,variants,steps
--toy             tiny shapes and few variants, for which a software driver will do
";

/// A part of the atlas; what the device is comes first, always.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Checks,
    Variants,
    Steps,
}

const SECTIONS: [(&str, Section); 3] =
    [("checks", Section::Checks), ("variants", Section::Variants), ("steps", Section::Steps)];

pub struct Options {
    pub deadline: Deadline,
    pub out: PathBuf,
    pub is_toy: bool,
    sections: Vec<Section>,
}

impl Options {
    pub fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let (mut minutes, mut is_toy, mut out) = (9.0, false, folder());
        let mut sections = SECTIONS.map(|(_, section)| section).to_vec();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument}: expected a value"));
            match argument.as_str() {
                "--minutes" => minutes = value()?.parse()?,
                "--out" => out = value()?.into(),
                "--only" => sections = read_sections(&value()?)?,
                "--toy" => is_toy = true,
                // Cargo says so to every benchmark.
                "--bench" => {}
                _ => return Err(format!("{argument}: no such option\n\n{HELP}").into()),
            }
        }
        if !(minutes > 0.0 && minutes <= 600.0) {
            return Err(
                format!("--minutes: expected more than 0 and at most 600, got {minutes}").into()
            );
        }
        Ok(Self { deadline: Deadline::after(60.0 * minutes), out, is_toy, sections })
    }

    pub fn has(&self, section: Section) -> bool {
        self.sections.contains(&section)
    }

    /// How many, where a toy has fewer.
    pub fn few(&self, many: usize, few: usize) -> usize {
        if self.is_toy { few } else { many }
    }
}

fn read_sections(list: &str) -> Result<Vec<Section>> {
    let section = |name: &str| {
        let known = SECTIONS.iter().find(|(known, _)| *known == name);
        known.map(|(_, section)| *section).ok_or_else(|| {
            format!("--only: expected some of checks, variants and steps, got {name}").into()
        })
    };
    list.split(',').map(section).collect()
}

fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    Path::new(env!("CARGO_MANIFEST_DIR")).join(target).join("atlas")
}
