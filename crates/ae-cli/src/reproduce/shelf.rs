//! The experiments that the program brings along.

use std::path::Path;

use super::experiment::Experiment;
use crate::error::{Error, Result};

macro_rules! recipes {
    ($($name:literal),* $(,)?) => {
        /// Name and text of each, in the order in which they are listed.
        const RECIPES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../../recipes/", $name, ".toml")))),*];
    };
}

recipes![
    "pca-mnist",
    "linear-pca",
    "keras-dense",
    "keras-sparse",
    "keras-deep",
    "keras-conv",
    "keras-denoising",
    "deep-autoencoder",
    "sdae-mnist",
    "cae-mnist",
    "k-sparse-mnist",
    "ufldl-stacked",
    "one-class-mnist",
    "curves",
    "sdae-rectangles",
    "sdae-convex",
    "sdae-rot",
    "sdae-bg-rand",
];

/// The program in Python that recipes have beside this one.
pub const PROGRAM: &str = "svm_rbf.py";

/// The text of the program of that name.
pub fn program(name: &str) -> Option<&'static str> {
    (name == PROGRAM).then_some(include_str!("../../../../recipes/svm_rbf.py"))
}

/// All of them.
pub fn all() -> Result<Vec<Experiment>> {
    RECIPES.iter().map(|(name, text)| Experiment::parse(name, text)).collect()
}

/// The one of that name, or in a file of one's own.
pub fn find(name: &str) -> Result<Experiment> {
    if let Some((name, text)) = RECIPES.iter().find(|(known, _)| *known == name) {
        return Experiment::parse(name, text);
    }
    let path = Path::new(name);
    if path.extension().is_some_and(|end| end == "toml") {
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        return Ok(Experiment { called: name.to_owned(), ..Experiment::parse(&stem, &text)? });
    }
    let names: Vec<&str> = RECIPES.iter().map(|(name, _)| *name).collect();
    Err(Error::usage(format!(
        "reproduce: expected one of {}, or a file that ends in .toml, got `{name}`",
        names.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;
    use crate::reproduce::making::check;
    use ae_data::Shape;

    #[test]
    fn every_recipe_is_on_the_shelf() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
            .collect();
        let mut known: Vec<&str> = RECIPES.iter().map(|(name, _)| *name).collect();
        files.sort_unstable();
        known.sort_unstable();
        assert_eq!(files, known);
    }

    /// Every value of every stage is one that its command takes, also with epochs of one's own.
    #[test]
    fn every_arm_can_be_made() {
        let shape = Shape::image(1, 28, 28);
        for experiment in all().unwrap() {
            for (is_quick, epochs) in [(false, None), (true, None), (true, Some(0))] {
                let Ok(edition) = experiment.edition(is_quick, epochs) else {
                    // PCA has no epochs.
                    assert!(epochs.is_some() && experiment.name == "pca-mnist");
                    continue;
                };
                for way in edition.arms.iter().filter(|way| way.program.is_none()) {
                    let given = way.steps[0].seeded(1);
                    let data = Recipe::data(&given).unwrap();
                    let checked =
                        check(&way.steps[0], &way.steps[1..], &given, data, &shape, 60_000);
                    assert!(checked.is_ok(), "{}, {}: {checked:?}", experiment.name, way.name);
                }
            }
        }
    }

    /// The one that the README shows how they are written by.
    #[test]
    fn the_recipe_of_the_readme_is_one() {
        let readme = include_str!("../../README.md");
        let text = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let experiment = Experiment::parse("readme", text).unwrap();
        assert_eq!(experiment.edition(false, None).unwrap().arms.len(), 3);
        assert_eq!(experiment.edition(true, Some(1)).unwrap().seeds, 1);
    }

    /// A quick version without a bar would say nothing.
    #[test]
    fn every_quick_version_has_a_bar() {
        for experiment in all().unwrap() {
            let edition = experiment.edition(true, None).unwrap();
            let has_bar = edition.results.iter().any(|it| it.bar != Default::default());
            assert!(has_bar, "{}", experiment.name);
        }
    }
}
