//! Answers of the console.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    web::Bytes,
};
use askama::Template;
use futures::StreamExt;
use gatewarden_control::trail::{Export, Format};

use super::{Fault, Stranger, notice};
use crate::views;

/// What a handler gives back.
pub type Answer = Result<HttpResponse, Fault>;

/// A page or a part of one.
pub(crate) fn html(status: StatusCode, drawn: askama::Result<String>) -> Answer {
    let body = drawn.map_err(|bad| {
        tracing::error!(error = %bad, "a page could not be drawn");
        Fault::Failed { message: "The page could not be drawn.", status: 500 }
    })?;
    Ok(HttpResponse::build(status).content_type("text/html; charset=utf-8").body(body))
}

/// A text as a file to keep.
pub(crate) fn download(name: &str, text: String) -> Answer {
    let keep = format!("attachment; filename=\"{name}\"");
    let mut response = HttpResponse::Ok();
    response.content_type("text/plain; charset=utf-8").insert_header((header::CONTENT_DISPOSITION, keep));
    Ok(response.body(text))
}

/// An export as a file to keep, page by page. When a page cannot be had the answer ends without its end, as whoever reads
/// it notices.
pub(crate) fn stream(name: &str, format: Format, export: Export) -> HttpResponse {
    let keep = format!("attachment; filename=\"{name}\"");
    let head = futures::stream::iter([Ok(Bytes::from(format.head()))]);
    let pages = futures::stream::try_unfold(export, move |mut export| async move {
        let page = export.next_written(format).await.map_err(Fault::from)?;
        Ok::<_, Fault>(page.map(|page| (Bytes::from(page), export)))
    });
    let mut response = HttpResponse::Ok();
    response.content_type(format.media()).insert_header((header::CONTENT_DISPOSITION, keep));
    response.streaming(head.chain(pages))
}

impl Stranger {
    /// A whole page.
    ///
    /// # Errors
    /// When it cannot be drawn.
    pub fn page(&self, page: &impl Template) -> Answer {
        self.page_with(StatusCode::OK, page)
    }

    /// A whole page with another status: a form that was refused is drawn again with 422.
    ///
    /// # Errors
    /// When it cannot be drawn.
    pub fn page_with(&self, status: StatusCode, page: &impl Template) -> Answer {
        let mut response = html(status, page.render())?;
        if self.notice().is_some() {
            notice::clear(&mut response);
        }
        Ok(response)
    }

    /// A page, or the part of it that htmx asked for.
    ///
    /// # Errors
    /// When it cannot be drawn.
    pub fn page_or_part(&self, page: &impl Template, part: impl FnOnce() -> askama::Result<String>) -> Answer {
        if self.wants_part() { html(StatusCode::OK, part()) } else { self.page(page) }
    }

    /// On to another page.
    ///
    /// # Errors
    /// Never; so that handlers end with it.
    pub fn go(&self, to: &str) -> Answer {
        Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, to)).finish())
    }

    /// After a change: on to the page, where a toast says what is now true.
    ///
    /// # Errors
    /// Never; so that handlers end with it.
    pub fn done(&self, to: &str, notice: &views::Notice) -> Answer {
        let mut response = self.go(to)?;
        notice::leave(&self.site, &mut response, notice);
        Ok(response)
    }
}

/// A notice that says what is now true.
pub(crate) fn now_true(text: impl Into<String>) -> views::Notice {
    views::Notice { tone: views::Tone::Good, text: text.into(), undo: None }
}
