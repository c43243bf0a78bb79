//! Each form of list that there is. Where the small folder has few keys of a sort, both are asked for so few.

use crate::filling::Filled;

/// One form: what is asked for.
pub(crate) struct Form {
    pub(crate) method: &'static str,
    /// `{key}` and `{adapter}` stand for what was filled in; blanks and quotes are as a person writes them.
    path: &'static str,
    pub(crate) ring: Option<&'static str>,
}

impl Form {
    /// The path as it is sent.
    pub(crate) fn path(&self, filled: &Filled) -> String {
        let path = self.path.replace("{key}", &filled.busy_key).replace("{adapter}", &filled.adapter);
        path.replace(' ', "%20").replace('"', "%22")
    }

    /// The form as it is told.
    pub(crate) fn name(&self) -> String {
        let path = self.path.trim_start_matches("/api/v2");
        self.ring.map_or(format!("{} {path}", self.method), |ring| format!("{} {path} in {ring}", self.method))
    }
}

const LISTS: [&str; 74] = [
    "/api/v2/keys",
    "/api/v2/keys?limit=1",
    "/api/v2/keys?limit=100&offset=100",
    "/api/v2/keys?state=1",
    "/api/v2/keys?state=2&limit=10",
    "/api/v2/keys?state=3&limit=10",
    "/api/v2/keys?state=5&limit=40",
    "/api/v2/keys?state=0,1,2,3,5",
    "/api/v2/keys?extractable=true",
    "/api/v2/keys?extractable=false",
    "/api/v2/keys?state=5&extractable=true&limit=10",
    "/api/v2/keys?search=key 17",
    "/api/v2/keys?search=alias:alias-1",
    "/api/v2/keys?search=exact:name:key 9",
    "/api/v2/keys?search=not:name:key&state=2",
    "/api/v2/keys?search=not:key&state=2",
    "/api/v2/keys?search=zebra&state=2",
    "/api/v2/keys?search=key&state=3&limit=10",
    "/api/v2/keys?search=key&state=3&sort=-creationDate&limit=10",
    "/api/v2/keys?search=key 7&filter=lastRotateDate=none state=2&limit=10",
    "/api/v2/keys?sort=id",
    "/api/v2/keys?sort=-id",
    "/api/v2/keys?sort=state",
    "/api/v2/keys?sort=-state",
    "/api/v2/keys?sort=extractable",
    "/api/v2/keys?sort=-extractable",
    "/api/v2/keys?sort=imported",
    "/api/v2/keys?sort=-imported",
    "/api/v2/keys?sort=creationDate",
    "/api/v2/keys?sort=-creationDate",
    "/api/v2/keys?sort=lastUpdateDate",
    "/api/v2/keys?sort=-lastUpdateDate",
    "/api/v2/keys?sort=lastRotateDate",
    "/api/v2/keys?sort=-lastRotateDate",
    "/api/v2/keys?sort=deletionDate",
    "/api/v2/keys?sort=-deletionDate&state=5&limit=40",
    "/api/v2/keys?sort=expirationDate",
    "/api/v2/keys?sort=-expirationDate",
    "/api/v2/keys?sort=state,-creationDate,extractable",
    "/api/v2/keys?sort=-lastRotateDate,expirationDate",
    "/api/v2/keys?sort=-imported,lastRotateDate",
    "/api/v2/keys?sort=creationDate,-id",
    "/api/v2/keys?filter=creationDate=gte:\"2026-01-01T00:00:00Z\"",
    "/api/v2/keys?filter=creationDate=lt:\"2026-01-01T01:00:00Z\"",
    "/api/v2/keys?filter=creationDate=gte:\"2026-01-01T12:00:00Z\"&limit=100",
    "/api/v2/keys?filter=creationDate=lt:\"2026-01-01T12:00:00Z\"&sort=-id",
    "/api/v2/keys?filter=creationDate=gt:\"2030-01-01T00:00:00Z\"",
    "/api/v2/keys?filter=creationDate=\"2026-01-01T02:00:00Z\"",
    "/api/v2/keys?filter=lastUpdateDate=gte:\"2026-01-01T00:00:00Z\"",
    "/api/v2/keys?filter=lastRotateDate=none",
    "/api/v2/keys?filter=lastRotateDate=gt:\"2026-01-01T00:00:00Z\"&limit=40",
    "/api/v2/keys?filter=lastRotateDate=lt:\"2026-01-01T12:00:00Z\"&limit=30",
    "/api/v2/keys?filter=lastRotateDate=none extractable=false state=3&limit=3",
    "/api/v2/keys?filter=expirationDate=none",
    "/api/v2/keys?filter=expirationDate=none state=3",
    "/api/v2/keys?filter=creationDate=none",
    "/api/v2/keys?filter=expirationDate=lt:\"2026-01-02T00:00:00Z\"",
    "/api/v2/keys?filter=deletionDate=none",
    "/api/v2/keys?filter=deletionDate=gte:\"2026-01-01T00:00:00Z\" state=5&limit=40",
    "/api/v2/keys?filter=state=2 extractable=false&limit=5",
    "/api/v2/keys?filter=creationDate=lt:\"2026-01-01T01:00:00Z\"&sort=-lastUpdateDate",
    "/api/v2/key_rings?totalCount=true",
    "/api/v2/keys/{key}/versions?totalCount=true",
    "/api/v2/keys/{key}/registrations?totalCount=true&limit=50",
    "/api/v2/keys/{key}/registrations?preventKeyDeletion=true&limit=50",
    "/api/v2/keys/{key}/registrations?preventKeyDeletion=false&limit=50",
    "/api/v2/keys/registrations",
    "/api/v2/keys/registrations?totalCount=true",
    "/api/v2/keys/registrations?preventKeyDeletion=true&limit=50",
    "/api/v2/keys/registrations?preventKeyDeletion=false&totalCount=true",
    "/api/v2/keys/registrations?urlEncodedResourceCRNQuery=crn:v1:bluemix:public:cloud-object-storage:global:a/1:2:bucket:busy-*&limit=50",
    "/api/v2/kmip_adapters?totalCount=true",
    "/api/v2/kmip_adapters/{adapter}/kmip_objects?totalCount=true",
    "/api/v2/kmip_adapters/{adapter}/kmip_objects?state=2&totalCount=true",
];

const COUNTS: [&str; 15] = [
    "/api/v2/keys",
    "/api/v2/keys?state=2,5",
    "/api/v2/keys?extractable=true",
    "/api/v2/keys?filter=expirationDate=lt:\"2026-01-02T00:00:00Z\"",
    "/api/v2/keys?filter=creationDate=gte:\"2026-01-01T00:00:00Z\"",
    "/api/v2/keys?filter=creationDate=gte:\"2026-01-01T08:20:30Z\"",
    "/api/v2/keys?filter=creationDate=gte:\"2026-02-04T17:20:30Z\"",
    "/api/v2/keys?filter=creationDate=gte:\"2026-01-10T00:00:30Z\" creationDate=lt:\"2026-02-20T00:00:30Z\"",
    "/api/v2/keys?filter=lastUpdateDate=gte:\"2026-01-01T08:20:30Z\"",
    "/api/v2/keys?filter=lastUpdateDate=gte:\"2026-02-04T17:20:30Z\"",
    "/api/v2/keys?filter=lastRotateDate=none",
    "/api/v2/keys?filter=lastRotateDate=gte:\"2026-02-04T17:20:30Z\"",
    "/api/v2/keys?filter=deletionDate=gte:\"2026-02-04T17:20:30Z\" state=5",
    "/api/v2/keys?filter=expirationDate=none",
    "/api/v2/keys?filter=creationDate=lt:\"2026-02-04T17:20:30Z\" expirationDate=none",
];

const IN_RINGS: [(&str, &str); 9] = [
    ("/api/v2/keys", "ledger"),
    ("/api/v2/keys?limit=2", "rare"),
    ("/api/v2/keys", "default"),
    ("/api/v2/keys", "nowhere"),
    ("/api/v2/keys?sort=-creationDate", "ledger"),
    ("/api/v2/keys?sort=-creationDate&limit=2", "rare"),
    ("/api/v2/keys?state=2", "ledger"),
    ("/api/v2/keys?filter=creationDate=lt:\"2026-01-01T12:00:00Z\"", "ledger"),
    ("/api/v2/keys?filter=expirationDate=none&limit=2", "rare"),
];

/// All forms.
pub(crate) fn all() -> Vec<Form> {
    let lists = LISTS.iter().map(|path| Form { method: "GET", path, ring: None });
    let counts = COUNTS.iter().map(|path| Form { method: "HEAD", path, ring: None });
    let in_rings = IN_RINGS.iter().map(|(path, ring)| Form { method: "GET", path, ring: Some(ring) });
    lists.chain(counts).chain(in_rings).collect()
}
