//! The parts that all reports share.

use base64::Engine;
use image::RgbaImage;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::Result;
use crate::pictures;
use ae_recipe::Recipe;
use ae_train::format::duration;

/// A page with a title, a lead sentence and sections.
pub fn document(title: &str, lead: &Markup, body: &Markup, program: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(include_str!("report.css"))) }
            }
            body {
                header {
                    h1 { (title) }
                    p.lead { (lead) }
                }
                (body)
                footer { "Written by " (program) "." }
            }
        }
    }
}

/// Rows of pictures with their names on the left.
///
/// # Errors
/// If the picture cannot be encoded.
pub fn picture_rows(names: &[String], picture: &RgbaImage) -> Result<Markup> {
    let style = format!("grid-template-rows:repeat({},1fr)", names.len());
    Ok(html! {
        div.rows {
            div.names style=(style) { @for name in names { span { (name) } } }
            (self::picture(picture, &names.join(", "), "wide")?)
        }
    })
}

/// A picture, embedded in the page, with a description for readers who do not see it.
///
/// # Errors
/// If the picture cannot be encoded.
pub fn picture(picture: &RgbaImage, description: &str, class: &str) -> Result<Markup> {
    let data = base64::engine::general_purpose::STANDARD.encode(pictures::png(picture)?);
    Ok(html! {
        img class=(class) alt=(description) src={ "data:image/png;base64," (data) };
    })
}

/// `AMD EPYC, 2 cores, 2 threads`
pub fn device(name: &str, threads: Option<usize>) -> String {
    match threads {
        Some(threads) => format!("{name}, {threads} threads"),
        None => name.to_owned(),
    }
}

/// The training time in words.
pub(crate) fn time(seconds: Option<f64>, speed: Option<String>) -> String {
    let total = match seconds {
        Some(seconds) => format!("{} in total", duration(seconds)),
        None => "resumed, total unknown".to_owned(),
    };
    [Some(total), speed].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The last section: facts, the model and the recipe.
pub(crate) fn details_section(
    facts: &[(&str, String)],
    model: &str,
    recipe: &Recipe,
) -> Result<Markup> {
    let command = format!("ae {} --recipe recipe.toml", recipe.command.name());
    Ok(html! {
        section {
            h2 { "Details" }
            dl { @for (name, fact) in facts { dt { (name) } dd { (fact) } } }
            h3 { "Model" }
            pre { (model) }
            h3 { "Recipe" }
            @if recipe.from.is_none() {
                p.note {
                    "Save it as " code { "recipe.toml" } " and run " code { (command) }
                    " to get the same numbers on the same device."
                }
            }
            pre { (recipe.to_toml()?) }
        }
    })
}
