//! Examples at the end of each command's help.

/// Three command lines for each command, by the command's path; a comment may follow.
const EXAMPLES: [(&str, [&str; 3]); 23] = [
    (
        "",
        [
            "ae                                               # train on generated digits",
            "ae train --data photos/ --resize 64x64           # a folder of images",
            "ae reconstruct runs/digits-conv-32 --out sheet.png",
        ],
    ),
    (
        "train",
        [
            "ae train --data mnist --code 16",
            "ae train --data table.csv --label-column kind --epochs 100",
            "ae train --corrupt masking:0.25                  # a denoising autoencoder",
        ],
    ),
    (
        "pretrain",
        [
            "ae pretrain --data mnist --code 30",
            "ae pretrain --hidden 500,250 --corrupt masking:0.25",
            "ae finetune runs/mnist-dense-30-pretrained --head softmax    # the next step",
        ],
    ),
    (
        "finetune",
        [
            "ae finetune runs/mnist-dense-30-pretrained",
            "ae finetune runs/mnist-dense-30-pretrained --head softmax --label-counts 100,1000",
            "ae finetune runs/digits-conv-32 --epochs 5 --lr 0.0005",
        ],
    ),
    (
        "classify",
        [
            "ae classify runs/mnist-dense-30-pretrained       # train a head on its codes",
            "ae classify runs/digits-conv-32 --head svm --out classifier",
            "ae classify classifier --data photos/ --predictions classes.csv",
        ],
    ),
    (
        "sweep",
        [
            "ae sweep --codes 2,4,8,16,32",
            "ae sweep --codes 8,32 --weights l1:0,0.001,0.01",
            "ae sweep --data mnist --codes 16 --corruptions none,masking:0.25",
        ],
    ),
    (
        "reproduce",
        [
            "ae reproduce --list",
            "ae reproduce keras-dense --quick",
            "ae reproduce pca-mnist --data-dir ~/mnist",
        ],
    ),
    (
        "eval",
        [
            "ae eval runs/digits-conv-32",
            "ae eval runs/digits-conv-32 --split validation --json",
            "ae eval runs/photos-conv-32 --data more-photos/",
        ],
    ),
    (
        "encode",
        [
            "ae encode runs/digits-conv-32 --out codes.npy",
            "ae encode runs/digits-conv-32 --split training --out training.csv",
            "ae encode runs/table-dense-3 --data table.csv    # all rows, in order",
        ],
    ),
    (
        "reconstruct",
        [
            "ae reconstruct runs/digits-conv-32 --out sheet.png",
            "ae reconstruct runs/digits-conv-32 --out sheet.png -n 32",
            "ae reconstruct runs/table-dense-3 --data new.csv --out reconstructions.csv",
        ],
    ),
    (
        "latent",
        [
            "ae latent path runs/digits-conv-32               # from one class to the next",
            "ae latent traverse runs/digits-conv-32 --unit 0,3",
            "ae latent neighbors runs/digits-conv-32 --count 8",
        ],
    ),
    (
        "latent path",
        [
            "ae latent path runs/digits-conv-32",
            "ae latent path runs/digits-conv-32 --classes 3:8,1:7",
            "ae latent path runs/digits-conv-32 --pairs 0:5 --steps 15 --out path.png",
        ],
    ),
    (
        "latent traverse",
        [
            "ae latent traverse runs/digits-conv-32",
            "ae latent traverse runs/digits-conv-32 --unit 0,3 --sample 7",
            "ae latent traverse runs/table-dense-3 --unit 1 --steps 5 --out units.csv",
        ],
    ),
    (
        "latent neighbors",
        [
            "ae latent neighbors runs/digits-conv-32",
            "ae latent neighbors runs/digits-conv-32 --sample 7 --count 12",
            "ae latent neighbors runs/digits-conv-32 --split training --out neighbors.png",
        ],
    ),
    (
        "latent means",
        [
            "ae latent means runs/digits-conv-32",
            "ae latent means runs/digits-conv-32 --split training",
            "ae latent means runs/table-dense-3 --out means.csv",
        ],
    ),
    (
        "interpolate",
        [
            "ae interpolate runs/digits-conv-32",
            "ae interpolate runs/digits-conv-32 --unit 0,3",
            "ae interpolate runs/digits-conv-32 --nearest 8",
        ],
    ),
    (
        "report",
        [
            "ae report runs/digits-conv-32",
            "ae report runs/mnist-dense-30-pretrained --device cpu",
            "ae report runs/digits-conv-32 --device gpu",
        ],
    ),
    (
        "devices",
        [
            "ae devices",
            "ae train --device gpu:0                          # a GPU of the list",
            "ae train --device cpu",
        ],
    ),
    (
        "data",
        ["ae data list", "ae data fetch mnist", "ae data preview --data photos/ --resize 64x64"],
    ),
    (
        "data list",
        ["ae data list", "ae data list --data-dir ~/mnist", "ae train --data fashion-mnist"],
    ),
    ("data fetch", ["ae data fetch mnist", "ae data fetch cifar10", "ae data fetch fashion-mnist"]),
    (
        "data preview",
        [
            "ae data preview",
            "ae data preview --data mnist-rot --out sheet.png",
            "ae data preview --data table.csv",
        ],
    ),
    (
        "data export",
        [
            "ae data export --data mnist-rot --out mnist-rot",
            "ae data export --data convex --validation 0.25 --out convex",
            "ae data export --samples 1000,200 --out digits",
        ],
    ),
];

/// The examples of a command as text, such as `Examples:` and three indented lines.
pub fn text(path: &str) -> String {
    let found = EXAMPLES.iter().find(|(known, _)| *known == path);
    found.map_or(String::new(), |(_, lines)| format!("Examples:\n  {}", lines.join("\n  ")))
}

/// Adds the examples to the help of a command and of its subcommands.
pub fn add(command: clap::Command, path: &str) -> clap::Command {
    let names = command.get_subcommands().map(|it| it.get_name().to_owned());
    let names: Vec<String> = names.collect();
    let command = command.after_help(text(path));
    names.iter().fold(command, |command, name| {
        let path = format!("{path} {name}");
        command.mut_subcommand(name, |it| add(it, path.trim_start()))
    })
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::args::Cli;

    /// The paths of a command and all below it.
    fn paths(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        found.push(path.to_owned());
        for below in command.get_subcommands() {
            paths(below, format!("{path} {}", below.get_name()).trim_start(), found);
        }
    }

    #[test]
    fn every_command_has_examples_and_all_examples_have_a_command() {
        let mut all = Vec::new();
        paths(&Cli::command(), "", &mut all);
        all.sort();
        let mut known: Vec<&str> = EXAMPLES.iter().map(|(path, _)| *path).collect();
        known.sort_unstable();
        assert_eq!(all, known);
    }

    #[test]
    fn every_help_ends_with_its_examples() {
        let mut all = Vec::new();
        paths(&Cli::command(), "", &mut all);
        for path in all {
            let mut cli = Cli::commands();
            let mut command = &mut cli;
            for name in path.split_whitespace() {
                command = command.find_subcommand_mut(name).unwrap();
            }
            let help = command.render_long_help().to_string();
            assert!(help.trim_end().ends_with(&text(&path)), "{help}");
            assert!(command.render_help().to_string().contains(&text(&path)), "{path}");
        }
    }

    #[test]
    fn every_example_parses() {
        for (path, lines) in EXAMPLES {
            for line in lines {
                let line = line.split('#').next().unwrap_or_default();
                let parsed = Cli::try_parse_from(line.split_whitespace());
                assert!(parsed.is_ok(), "{path}: {line}: {:?}", parsed.err());
            }
        }
    }
}
