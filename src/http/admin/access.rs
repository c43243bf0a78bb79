//! Who may use `/mock`: whoever has the admin token, or anyone on this machine but pages of other sites.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, ORIGIN};
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::crypto::compare;
use crate::http::admin::errors::AdminError;
use crate::http::state::{AdminAccess, State};

/// Lets a request through or refuses it. Source: `docs/contract/reliability.md` T-30.
pub(crate) async fn check<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let state = request.app_data::<Data<State>>().cloned();
    let refusal = state.and_then(|state| refuse(&state.admin, request.headers()));
    match refusal {
        Some(error) => Ok(request.into_response(error.render()).map_into_right_body()),
        None => next.call(request).await.map(ServiceResponse::map_into_left_body),
    }
}

fn refuse(access: &AdminAccess, headers: &HeaderMap) -> Option<AdminError> {
    if access.local && !(is_local(headers, &HOST) && is_local(headers, &ORIGIN)) {
        let message = "Host and Origin must be localhost, 127.0.0.1 or [::1]: pages of other sites may not call /mock";
        return Some(AdminError::plain(StatusCode::FORBIDDEN, "foreign_origin", message));
    }
    let token = access.token.as_ref()?;
    let given = headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
    let given =
        given.and_then(|header| header.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let fits = given.is_some_and(|(_, given)| compare::equal(given.trim().as_bytes(), token.as_bytes()));
    let message = "this call needs `Authorization: Bearer <admin token>`; the token is in the ready file";
    (!fits).then(|| AdminError::plain(StatusCode::UNAUTHORIZED, "unauthorized", message))
}

/// True when the header is absent or names this machine.
fn is_local(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get_all(name).all(|value| {
        let Ok(text) = value.to_str() else { return false };
        let authority = text.split_once("://").map_or(text, |(_, authority)| authority);
        let host = match authority.strip_prefix('[') {
            Some(rest) => rest.split_once(']').map_or(rest, |(host, _)| host),
            None => authority.split_once(':').map_or(authority, |(host, _)| host),
        };
        host.eq_ignore_ascii_case("localhost") || matches!(host, "127.0.0.1" | "::1")
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn local(name: &HeaderName, value: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(name.clone(), HeaderValue::from_static(value));
        is_local(&headers, name)
    }

    #[test]
    fn only_names_of_this_machine_are_local() {
        for host in ["localhost", "localhost:8490", "127.0.0.1:1", "[::1]:8490", "[::1]"] {
            assert!(local(&HOST, host), "{host}");
        }
        for host in ["example.com", "localhost.example.com", "127.0.0.1.example.com:80", "10.0.0.1", ""] {
            assert!(!local(&HOST, host), "{host}");
        }
        assert!(local(&ORIGIN, "http://localhost:3000"));
        assert!(!local(&ORIGIN, "https://evil.example"));
        assert!(!local(&ORIGIN, "null"));
    }
}
