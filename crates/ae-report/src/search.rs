//! The page of a search by code: rows of pictures, such as a query and its neighbours or a group of duplicates.

use image::RgbaImage;
use image::imageops::{FilterType, thumbnail};
use maud::{Markup, html};

use crate::Result;
use crate::page::{document, picture};

/// A picture with what is said below it.
pub struct Tile {
    /// The picture; `None` where it cannot be read.
    pub picture: Option<RgbaImage>,
    /// Its name.
    pub name: String,
    /// Such as its distance.
    pub note: String,
}

/// The longest side of a picture on the page.
const SIDE: u32 = 160;

/// A picture of at most 160 pixels a side.
pub fn small(image: &RgbaImage) -> RgbaImage {
    let (width, height) = image.dimensions();
    let longest = width.max(height).max(1);
    let scaled = |side: u32| (side * SIDE / longest).max(1);
    match longest > SIDE {
        true => thumbnail(image, scaled(width), scaled(height)),
        false => {
            let factor = (SIDE / longest).max(1);
            image::imageops::resize(image, width * factor, height * factor, FilterType::Nearest)
        }
    }
}

/// A page of rows of pictures, each with a title; `facts` is a table of names and values.
///
/// # Errors
/// If a picture cannot be encoded.
pub fn page(
    title: &str,
    lead: &str,
    facts: &[(String, String)],
    rows: &[(String, Vec<Tile>)],
    program: &str,
) -> Result<String> {
    let rows = rows.iter().map(|(title, tiles)| row(title, tiles)).collect::<Result<Vec<_>>>()?;
    let body = html! {
        @if !facts.is_empty() {
            section { table { @for (name, value) in facts { tr { th { (name) } td.num { (value) } } } } }
        }
        @for row in rows { (row) }
    };
    Ok(document(title, &html! { (lead) }, &body, program).into_string())
}

fn row(title: &str, tiles: &[Tile]) -> Result<Markup> {
    let tiles = tiles.iter().map(|tile| -> Result<Markup> {
        let shown = tile.picture.as_ref().map(|it| picture(it, &tile.name, "")).transpose()?;
        Ok(html! {
            figure style="width:160px" {
                @match shown { Some(shown) => { (shown) }, None => { p.note { "cannot be read" } } }
                figcaption style="overflow-wrap:anywhere" { (tile.name) br; (tile.note) }
            }
        })
    });
    let tiles = tiles.collect::<Result<Vec<_>>>()?;
    Ok(html! {
        section {
            h2 { (title) }
            div style="display:flex;flex-wrap:wrap;gap:14px;align-items:flex-end;margin-top:12px" {
                @for tile in tiles { (tile) }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_and_sides_are_bounded() {
        let wide = RgbaImage::new(800, 2);
        assert_eq!(small(&wide).dimensions(), (160, 1));
        assert_eq!(small(&RgbaImage::new(8, 4)).dimensions(), (160, 80));
        let tile = Tile { picture: None, name: "<b>.png".into(), note: "0.5".into() };
        let text = page("Search", "lead", &[], &[("q & a".into(), vec![tile])], "ae").unwrap();
        assert!(text.contains("&lt;b&gt;.png") && text.contains("q &amp; a"), "{text}");
    }
}
