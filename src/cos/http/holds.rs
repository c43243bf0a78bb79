//! Legal holds and longer retention of objects. Source: docs, immutable.

use actix_web::HttpResponse;

use crate::cos::app::error::Error;
use crate::cos::app::protection::HoldChange;
use crate::cos::app::request::Access;
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::domain::retention::Extension;
use crate::cos::http::call::Call;
use crate::cos::http::xml::Document;
use crate::cos::http::{headers, reply};

/// `GET /{bucket}/{key}?legalHold`
pub(crate) async fn list(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Read).await?;
    let object = call.cos.get_holds(&call.cx, &bucket, call.key()?).await?;
    let mut document = Document::result("RetentionState");
    document.text("CreateTime", &reply::http_date(object.modified_at));
    if let Some(retention) = &object.retention {
        document
            .number("RetentionPeriod", retention.period_seconds)
            .text("RetentionPeriodExpirationDate", &reply::http_date(retention.expires_at))
            .element("LegalHolds", |holds| {
                for hold in &retention.holds {
                    holds.element("LegalHold", |element| {
                        element.text("ID", &hold.id).text("Date", &reply::http_date(hold.at));
                    });
                }
            });
    }
    Ok(reply::xml(document))
}

/// `POST /{bucket}/{key}?legalHold&add={id}` or `&remove={id}`
pub(crate) async fn change(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Write).await?;
    let change = match (call.query.get("add"), call.query.get("remove")) {
        (Some(id), None) => HoldChange::Add(id.to_owned()),
        (None, Some(id)) => HoldChange::Remove(id.to_owned()),
        _ => return Err(Refusal::new(Code::InvalidArgument, "One of add and remove is needed.").into()),
    };
    call.cos.change_hold(&call.cx, &bucket, call.key()?, change).await?;
    Ok(reply::done())
}

/// `POST /{bucket}/{key}?extendRetention`
pub(crate) async fn extend(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Write).await?;
    let headers = call.headers();
    let given = [
        headers::number(headers, "additional-retention-period")?.map(Extension::Additional),
        headers::number(headers, "extend-retention-from-current-time")?.map(Extension::FromNow),
        headers::instant(headers, "new-retention-expiration-date")?.map(Extension::Until),
        headers::number(headers, "new-retention-period")?.map(Extension::Period),
    ];
    let mut given = given.into_iter().flatten();
    let (Some(extension), None) = (given.next(), given.next()) else {
        let why = "One of Additional-Retention-Period, Extend-Retention-From-Current-Time, New-Retention-Expiration-Date \
                   and New-Retention-Period is needed.";
        return Err(Refusal::new(Code::InvalidRequest, why).into());
    };
    call.cos.extend_retention(&call.cx, &bucket, call.key()?, extension).await?;
    Ok(reply::done())
}
