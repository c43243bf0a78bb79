//! Where buckets lie: location codes, and which region's root keys they may have. Source: docs, classes, buckets, kp.

use crate::cos::domain::refusal::{Code, Refusal};

const CLASSES: [&str; 4] = ["standard", "vault", "cold", "smart"];
/// Cross-region locations, each with the region of its root keys. Source: docs, kp.
const CROSS_REGION: [(&str, &str); 3] = [("us", "us-south"), ("eu", "eu-de"), ("ap", "jp-tok")];
const REGIONAL: [&str; 10] =
    ["us-south", "us-east", "eu-gb", "eu-de", "eu-es", "jp-tok", "jp-osa", "au-syd", "ca-tor", "br-sao"];
const SINGLE_SITE: [&str; 6] = ["ams03", "che01", "mon01", "par01", "sjc04", "sng01"];

/// A location code, `{location}-{class}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location(String);

impl Location {
    /// Reads a code that new buckets can have: the class is what follows the last dash.
    pub(crate) fn parse(code: &str) -> Option<Self> {
        let (place, class) = code.rsplit_once('-')?;
        let known = CROSS_REGION.iter().any(|(cross, _)| *cross == place)
            || REGIONAL.contains(&place)
            || SINGLE_SITE.contains(&place);
        (known && CLASSES.contains(&class)).then(|| Self(code.to_owned()))
    }

    /// The code of a gateway whose requests name none (ASSUMED).
    pub(crate) fn default_of(region: &str) -> Option<Self> {
        Self::parse(&format!("{region}-standard"))
    }

    /// `us-south-standard` and the like.
    pub(crate) fn code(&self) -> &str {
        &self.0
    }

    /// Refuses a root key of a region that a bucket here cannot have.
    ///
    /// # Errors
    /// `InvalidRequest`, naming the location and the region.
    pub(crate) fn admit_key_of(&self, region: &str) -> Result<(), Refusal> {
        let place = self.0.rsplit_once('-').map_or("", |(place, _)| place);
        match CROSS_REGION.iter().find(|(cross, _)| *cross == place) {
            Some((_, needed)) if *needed != region => Err(Refusal::new(
                Code::InvalidRequest,
                format!(
                    "A bucket in the cross-region location {} needs a root key of a Key Protect instance in {needed}, not \
                     in {region}.",
                    self.0
                ),
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_a_location_and_a_class() {
        for good in ["us-standard", "us-south-standard", "eu-de-cold", "ap-smart", "ams03-vault", "br-sao-smart"] {
            assert!(Location::parse(good).is_some(), "{good}");
        }
        for bad in ["us", "standard", "us-flex", "us-south-flex", "us-south-onerate_active", "mars-standard", "", "us-"]
        {
            assert!(Location::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn cross_region_buckets_take_keys_of_one_region() {
        let table = [("us-standard", "us-south"), ("eu-cold", "eu-de"), ("ap-smart", "jp-tok")];
        for (code, needed) in table {
            let location = Location::parse(code).unwrap();
            assert_eq!(location.admit_key_of(needed), Ok(()));
            let refused = location.admit_key_of("us-east").unwrap_err();
            assert!(refused.is(Code::InvalidRequest));
            assert!(refused.message.contains(code) && refused.message.contains(needed), "{}", refused.message);
        }
        for code in ["us-south-standard", "ams03-standard"] {
            assert_eq!(Location::parse(code).unwrap().admit_key_of("eu-gb"), Ok(()));
        }
    }
}
