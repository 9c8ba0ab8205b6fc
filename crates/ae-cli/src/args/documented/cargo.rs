//! Commands of cargo.

use std::fs;

use super::{check_ae, paths_in, root};

/// Checks that the packages, targets, features and paths of a cargo command exist, and the arguments of
/// `cargo run -- ..`.
pub fn check(words: &[&str]) -> Result<(), String> {
    let exists = |places: &[String]| {
        let folders = paths_in("crates").into_iter().chain([root()]);
        folders
            .flat_map(|folder| places.iter().map(move |it| folder.join(it)))
            .any(|it| it.exists())
    };
    let manifests = paths_in("crates").into_iter().chain([root()]);
    let manifests = manifests.filter_map(|it| fs::read_to_string(it.join("Cargo.toml")).ok());
    let manifests: Vec<toml::Table> = manifests.map(|text| text.parse().unwrap()).collect();
    let is_package =
        |name: &str| manifests.iter().any(|it| it["package"]["name"].as_str() == Some(name));
    let is_feature = |name: &str| {
        let name = name.split('/').next_back().unwrap_or(name);
        manifests.iter().any(|it| it.get("features").is_some_and(|all| all.get(name).is_some()))
    };
    let ours = words.split(|word| *word == "--").next().unwrap_or_default();
    for pair in ours.windows(2) {
        let is_there = match *pair {
            ["--example", name] => exists(&[format!("examples/{name}.rs")]),
            ["--test", name] => exists(&[format!("tests/{name}.rs")]),
            ["--bench", name] => {
                exists(&[format!("benches/{name}.rs"), format!("benches/{name}/main.rs")])
            }
            ["-p" | "--package", name] => is_package(name),
            ["--features", names] => names.split(',').all(is_feature),
            ["--path" | "--manifest-path", path] => root().join(path).exists(),
            _ => true,
        };
        if !is_there {
            return Err(format!("cargo {}: not in this workspace", pair.join(" ")));
        }
    }
    let names_another = ours.iter().any(|word| ["--example", "--manifest-path"].contains(word));
    match words.iter().position(|word| *word == "--") {
        Some(at) if words[1] == "run" && !names_another => {
            check_ae(&[&["ae"][..], &words[at + 1..]].concat(), false)
        }
        _ => Ok(()),
    }
}
