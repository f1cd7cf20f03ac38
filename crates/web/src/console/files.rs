//! Static files, health, and the page of all components.

use actix_web::{HttpRequest, HttpResponse, http::header};

use crate::{
    assets,
    charts::{Area, Bar, Point, Spark},
    http::{Answer, Fault, Stranger},
    views,
};

/// A file whose address names its content, so that it may be kept for good.
pub async fn file(request: HttpRequest) -> Answer {
    let asset = assets::find(request.path()).ok_or(Fault::NotFound)?;
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known == Some(asset.etag.as_str()) {
        return Ok(HttpResponse::NotModified().finish());
    }
    Ok(HttpResponse::Ok()
        .content_type(asset.mime)
        .insert_header((header::ETAG, asset.etag.as_str()))
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(asset.bytes.clone()))
}

/// The program runs.
pub async fn healthy() -> Answer {
    Ok(HttpResponse::Ok().content_type("text/plain").body("ok\n"))
}

/// The program can answer: its database does.
pub async fn ready(door: Stranger) -> Answer {
    gatewarden_control::organizations::reachable(&door.site.app).await?;
    Ok(HttpResponse::Ok().content_type("text/plain").body("ready\n"))
}

/// Every component on one page, in development.
pub async fn components(door: Stranger) -> Answer {
    if !door.site.development {
        return Err(Fault::NotFound);
    }
    let choice = |label: &str, chosen| views::Choice { value: label.to_lowercase(), label: label.to_owned(), chosen };
    let bar = |label: &str, value: u64| Bar { label: label.to_owned(), value, shown: value.to_string() };
    door.page(&views::components::Components {
        shell: views::Shell { theme: door.theme(), ..views::Shell::default() },
        area: week(),
        spark: Spark { label: "Calls a day, rising".to_owned(), values: vec![3, 5, 4, 8, 7, 11] },
        bars: vec![bar("gpt-4o-mini", 1204), bar("claude-sonnet", 611)],
        fine: views::Field::of("Ada Lindqvist"),
        wrong: views::Field::of("ada@").wrong("Give an e-mail address such as ada@example.com."),
        choices: vec![choice("Owner", false), choice("Member", true)],
    })
}

/// A made-up week of calls.
fn week() -> Area {
    let days = [("Mon", 812), ("Tue", 1204), ("Wed", 990), ("Thu", 1410), ("Fri", 1533), ("Sat", 402), ("Sun", 371)];
    Area {
        label: "Calls a day, most on Friday".to_owned(),
        unit: "Calls".to_owned(),
        points: days.map(|(day, value)| Point { label: day.to_owned(), value }).into(),
    }
}
