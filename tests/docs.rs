//! The documents: relative links and anchors resolve, every page is in the book, programs are doc tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_in(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// All Markdown files that are written by hand, and the reports of benchmarks.
fn documents() -> Vec<PathBuf> {
    let is_markdown = |path: &PathBuf| path.extension().is_some_and(|end| end == "md");
    let folders = [".", "docs/src", "benches", "recipes"];
    let mut all: Vec<PathBuf> =
        folders.into_iter().flat_map(files_in).filter(is_markdown).collect();
    let of_crates = files_in("crates").into_iter().map(|it| it.join("README.md"));
    all.extend(of_crates.filter(|path| path.is_file()));
    all
}

/// The lines outside of code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// A line without its code spans.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// What follows `](`, up to the closing parenthesis.
fn links(text: &str) -> Vec<String> {
    let of_line = |line: &str| -> Vec<String> {
        let line = without_code(line);
        let ends = line.split("](").skip(1);
        ends.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
    };
    prose(text).flat_map(of_line).collect()
}

/// The anchors of headings, as GitHub and mdBook derive them.
fn anchors(text: &str) -> Vec<String> {
    let mut seen = BTreeMap::<String, usize>::new();
    let headings = prose(text).filter(|line| line.starts_with('#'));
    headings
        .map(|heading| {
            let name = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = name.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            let slug = kept.collect::<String>().replace(' ', "-");
            let times = seen.entry(slug.clone()).or_default();
            *times += 1;
            if *times > 1 { format!("{slug}-{}", *times - 1) } else { slug }
        })
        .collect()
}

/// The links of a document that do not resolve.
fn broken(path: &Path, text: &str) -> Vec<String> {
    let is_address = |link: &String| link.contains("://") || link.starts_with("mailto:");
    let mut broken = Vec::new();
    for link in links(text).into_iter().filter(|link| !is_address(link)) {
        let (file, anchor) = link.split_once('#').map_or((&*link, None), |(a, b)| (a, Some(b)));
        let target = if file.is_empty() { path.to_owned() } else { path.with_file_name(file) };
        let is_there = match anchor {
            None => target.exists(),
            Some(_) if file.is_empty() => anchors(text).iter().any(|it| Some(&**it) == anchor),
            Some(anchor) => fs::read_to_string(&target)
                .is_ok_and(|text| anchors(&text).iter().any(|it| it == anchor)),
        };
        if !is_there {
            broken.push(link);
        }
    }
    broken
}

#[test]
fn links_resolve() {
    let documents = documents();
    assert!(documents.len() > 20, "{documents:?}");
    let mut count = 0;
    for path in documents {
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(broken(&path, &text), [""; 0], "{}", path.display());
        count += links(&text).len();
    }
    assert!(count > 100, "{count}");
}

#[test]
fn broken_links_are_reported() {
    let text = "# One `two`, three\n[a](README.md), [b](README.md#quick-start) [c](#one-two-three)\n\
                [d](absent.md) and [e](README.md#absent), [f](#one), [g](https://burn.dev)\n\
                `[code](absent)`\n```\n[block](absent)\n# No heading\n```\n[h](#no-heading)";
    let path = root().join("page.md");
    assert_eq!(broken(&path, text), ["absent.md", "README.md#absent", "#one", "#no-heading"]);
    assert_eq!(anchors("# A b\n## A b\n### C: 1 + 1"), ["a-b", "a-b-1", "c-1--1"]);
}

#[test]
fn summary_lists_every_page_once() {
    let summary = fs::read_to_string(root().join("docs/src/SUMMARY.md")).unwrap();
    let mut listed = links(&summary);
    listed.sort();
    let names = files_in("docs/src").into_iter().map(|path| path.file_name().unwrap().to_owned());
    let names = names.map(|name| name.into_string().unwrap());
    let pages: Vec<String> =
        names.filter(|name| name.ends_with(".md") && name != "SUMMARY.md").collect();
    assert_eq!(listed, pages);
}

#[test]
fn rust_programs_are_doc_tests() {
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for path in documents().into_iter().filter(|path| !path.starts_with(root().join("crates"))) {
        let has_program = fs::read_to_string(&path).unwrap().contains("```rust");
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let is_tested = library.contains(&format!("include_str!(\"../{name}\")"));
        assert!(!has_program || is_tested, "{name}");
    }
}
