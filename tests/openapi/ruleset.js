// IBM's API rules, less the seven that the real service breaks. run.sh uses them.
import ibm from '@ibm-cloud/openapi-ruleset';

export default {
  extends: ibm,
  rules: {
    // Camel case in fields: keyRingID, creationDate.
    'ibm-property-casing-convention': 'off',
    // Values that are media types, reason codes and actions: setKeyForDeletion, KEY_NOT_FOUND_ERR.
    'ibm-enum-casing-convention': 'off',
    // Camel case in queries: totalCount, urlEncodedResourceCRNQuery.
    'ibm-parameter-casing-convention': 'off',
    // Camel case in paths: setKeyForDeletion. And .well-known.
    'ibm-path-segment-casing-convention': 'off',
    // Lists that are empty may be left out: aliases, tags, the keys of a page.
    'ibm-required-array-properties-in-response': 'off',
    // So may the type of a policy.
    'ibm-required-enum-properties-in-response': 'off',
    // A registration has an ETag, but no GET of its own.
    'ibm-etag-header': 'off',
  },
};
