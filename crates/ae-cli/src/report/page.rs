//! What pages have in common.

use base64::Engine;
use image::RgbaImage;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::error::{Error, Result};
use crate::observers::duration;
use crate::pictures;
use crate::recipe::Recipe;
use crate::session::Folder;

/// Writes the summary of a run, and then the page.
pub fn write_both(folder: &Folder, summary: &impl serde::Serialize, page: &str) -> Result<()> {
    let json = serde_json::to_string_pretty(summary)
        .map_err(|error| Error::usage(format!("summary: {error}")))?;
    ae_models::tensors::write_atomically(&folder.summary(), json.as_bytes())?;
    Ok(ae_models::tensors::write_atomically(&folder.report(), page.as_bytes())?)
}

/// A page of sections.
pub fn whole(title: &str, lead: &Markup, body: &Markup, program: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(include_str!("../report.css"))) }
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

/// Rows of pictures with their names beside them.
pub fn picture_rows(names: &[String], picture: &RgbaImage) -> Result<Markup> {
    let style = format!("grid-template-rows:repeat({},1fr)", names.len());
    Ok(html! {
        div.rows {
            div.names style=(style) { @for name in names { span { (name) } } }
            (self::picture(picture, &names.join(", "), "wide")?)
        }
    })
}

/// A picture that lies in the page itself.
pub fn picture(picture: &RgbaImage, what: &str, class: &str) -> Result<Markup> {
    let data = base64::engine::general_purpose::STANDARD.encode(pictures::png(picture)?);
    Ok(html! {
        img class=(class) alt=(what) src={ "data:image/png;base64," (data) };
    })
}

/// How long it took.
pub fn time(seconds: Option<f64>, speed: Option<String>) -> String {
    let whole = match seconds {
        Some(seconds) => format!("{} in all", duration(seconds)),
        None => "in more than one go".to_owned(),
    };
    [Some(whole), speed].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Facts, the model and the recipe.
pub fn made(facts: &[(&str, String)], model: &str, recipe: &Recipe) -> Result<Markup> {
    let command = format!("ae {} --recipe recipe.toml", recipe.command.name());
    Ok(html! {
        section {
            h2 { "How it was made" }
            dl { @for (name, fact) in facts { dt { (name) } dd { (fact) } } }
            h3 { "Model" }
            pre { (model) }
            h3 { "Recipe" }
            @if recipe.from.is_none() {
                p.note {
                    "Save it as " code { "recipe.toml" } " and run " code { (command) }
                    ": on the same device the numbers will be the same."
                }
            }
            pre { (recipe.to_toml()?) }
        }
    })
}
