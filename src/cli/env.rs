//! `env` and `token`: what clients of the running service need.

use serde_json::{Map, Value};

use crate::cli::client::{Failure, ServiceClient, text};
use crate::config::EnvFormat;

/// Variables by the fields of `/mock/info` that they take their value from. Source: `docs/contract/interface.md` 1; names
/// that IBM's SDKs and Terraform provider read.
const VARIABLES: [(&str, &str, &str); 15] = [
    ("KP_URL", "url", ""),
    ("KP_INSTANCE_ID", "instanceId", ""),
    ("KP_INSTANCE_CRN", "instanceCrn", ""),
    ("IAM_URL", "iamUrl", ""),
    ("IBMCLOUD_API_KEY", "apiKey", ""),
    ("COS_ENDPOINT", "cosUrl", ""),
    ("COS_INSTANCE_CRN", "cosInstanceCrn", ""),
    ("KEY_PROTECT_URL", "url", ""),
    ("KEY_PROTECT_AUTH_URL", "iamUrl", ""),
    ("KEY_PROTECT_AUTH_TYPE", "", "iam"),
    ("KEY_PROTECT_APIKEY", "apiKey", ""),
    ("IBMCLOUD_KP_API_ENDPOINT", "url", ""),
    ("IBMCLOUD_IAM_API_ENDPOINT", "iamUrl", ""),
    ("IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT", "url", ""),
    ("IBMCLOUD_RESOURCE_MANAGEMENT_API_ENDPOINT", "url", ""),
];

/// Prints the variables; what does not apply is left out.
///
/// # Errors
/// When the service does not answer.
pub(crate) async fn env(service: &ServiceClient, format: EnvFormat) -> Result<String, Failure> {
    let info = service.get("/mock/info").await?;
    let mut values: Vec<(&str, String)> = Vec::new();
    for (name, field, fixed) in VARIABLES {
        let value = if field.is_empty() { Some(fixed) } else { text(&info, &format!("/{field}")) };
        // A gateway may speak HTTPS alone.
        let value = value.or_else(|| text(&info, "/cosTlsUrl").filter(|_| field == "cosUrl"));
        values.extend(value.map(|value| (name, value.to_owned())));
    }
    for (name, field) in [("AWS_ACCESS_KEY_ID", "accessKeyId"), ("AWS_SECRET_ACCESS_KEY", "secretAccessKey")] {
        values.extend(text(&info, &format!("/cosHmac/{field}")).map(|value| (name, value.to_owned())));
    }
    let lines = |line: &dyn Fn(&str, &str) -> String| -> String {
        values.iter().map(|(name, value)| line(name, value)).collect::<Vec<_>>().join("\n")
    };
    Ok(match format {
        EnvFormat::Sh => lines(&|name, value| format!("export {name}='{}'", value.replace('\'', "'\\''"))),
        EnvFormat::Dotenv => lines(&|name, value| format!("{name}={value}")),
        EnvFormat::Json => {
            let object: Map<String, Value> =
                values.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            serde_json::to_string_pretty(&object).unwrap_or_default()
        }
    })
}

/// Prints a bearer token for an API key.
///
/// # Errors
/// When the service does not answer, or refuses the key.
pub(crate) async fn token(service: &ServiceClient, api_key: Option<String>) -> Result<String, Failure> {
    let api_key = match api_key {
        Some(api_key) => api_key,
        None => text(&service.get("/mock/info").await?, "/apiKey").unwrap_or_default().to_owned(),
    };
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "urn:ibm:params:oauth:grant-type:apikey")
        .append_pair("apikey", &api_key)
        .finish();
    let reply = service.post_form("/identity/token", form).await?;
    text(&reply, "/access_token").map(str::to_owned).ok_or(Failure::Strange { url: "/identity/token".to_owned() })
}
