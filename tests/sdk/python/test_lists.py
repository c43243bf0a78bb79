"""Listing and counting keys: pages, states, search, sort and filter."""

import unittest

from kp import KEY, KeyProtectTest, advance, b64, timestamp, now


class Listing(KeyProtectTest):
    """On four living keys (two root, two standard; one of each imported; one disabled) and a destroyed one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        test = cls()
        cls.alpha = test.root_key(name="Alpha ledger", aliases=["first-alias"])
        advance("10s")
        cls.middle = timestamp(now())
        cls.beta = test.root_key(name="beta LEDGER", payload=b64(bytes(range(32))))
        cls.gamma = test.standard_key(name="gamma")
        cls.delta = test.standard_key(name="delta", payload=b64(b"secret"))
        cls.gone = test.root_key(name="gone ledger")
        test.disable(cls.beta)
        test.rotate(cls.alpha)
        test.delete(cls.gone)
        cls.living = {cls.alpha, cls.beta, cls.gamma, cls.delta}

    def ids(self, **options):
        return [key["id"] for key in self.all_of(self.kp.get_keys(self.instance, **options))]

    def count(self, **options):
        reply = self.kp.get_key_collection_metadata(self.instance, **options)
        self.assertEqual(200, reply.get_status_code())
        return int(reply.get_headers()["Key-Total"])

    def bad_query(self, parameter, **options):
        error = self.refused(400, "INVALID_QUERY_PARAM_ERR", self.kp.get_keys, self.instance, **options)
        self.assertIn(f"The query_param `{parameter}` must be: ", error["reasons"][0]["message"])
        return error

    def test_the_list_has_all_living_keys_by_id_in_full_form(self):
        self.assertEqual(sorted(self.living), self.ids())
        for key in self.all_of(self.kp.get_keys(self.instance)):
            self.assertEqual(self.metadata(key["id"]), key)

    def test_an_empty_state_which_this_sdk_sends_when_none_is_given_is_no_condition(self):
        self.assertEqual(self.ids(), self.ids(state=[]))
        self.assertEqual(4, self.count(state=[]))

    def test_the_count_follows_the_same_conditions_as_the_list(self):
        self.assertEqual(4, self.count())
        self.assertEqual(5, self.count(state=[1, 2, 5]))
        self.assertEqual(1, self.count(state=[5]))
        self.assertEqual(2, self.count(extractable=True))
        self.assertEqual(1, self.count(state=[1], extractable=False))
        self.assertEqual(1, self.count(filter="state=2"))

    def test_state_and_extractable_choose_keys(self):
        self.assertEqual([self.beta], self.ids(state=[2]))
        self.assertEqual([self.gone], self.ids(state=[5]))
        self.assertEqual(sorted(self.living | {self.gone}), self.ids(state=[0, 1, 2, 3, 5]))
        self.assertEqual(sorted([self.gamma, self.delta]), self.ids(extractable=True))
        self.assertEqual(sorted([self.alpha, self.beta]), self.ids(extractable=False))

    def test_pages_cut_the_ordered_list(self):
        everything = self.ids()
        self.assertEqual(everything[:3], self.ids(limit=3))
        self.assertEqual(everything[3:], self.ids(limit=3, offset=3))
        self.assertEqual([], self.ids(offset=4))

    def test_an_empty_page_has_a_total_of_0_and_no_resources(self):
        envelope = self.content(self.kp.get_keys(self.instance, offset=100))
        self.assertEqual({"metadata": {"collectionType": KEY, "collectionTotal": 0}}, envelope)

    def test_search_looks_into_names_and_aliases(self):
        self.assertEqual(sorted([self.alpha, self.beta]), self.ids(search="ledger"))
        self.assertEqual([self.alpha], self.ids(search="FIRST-alias"))
        self.assertEqual([self.alpha], self.ids(search="alias:first"))
        self.assertEqual([], self.ids(search="name:first"))
        self.assertEqual([self.gamma], self.ids(search="exact:name:gamma"))
        self.assertEqual([], self.ids(search="exact:ledger"))
        self.assertEqual(sorted([self.gamma, self.delta]), self.ids(search="not:ledger"))
        self.assertEqual([self.delta], self.ids(search=self.delta))

    def test_search_says_what_it_looked_for(self):
        envelope = self.content(self.kp.get_keys(self.instance, search="exact:not:name:gamma"))
        query = envelope["metadata"]["searchQuery"]
        self.assertEqual({"query": "gamma", "scopes": ["name"], "not": True, "exact": True}, query)

    def test_sort_orders_by_the_terms_it_names(self):
        self.assertEqual(sorted(self.living, reverse=True), self.ids(sort="-id"))
        roots, standards = sorted([self.alpha, self.beta]), sorted([self.gamma, self.delta])
        self.assertEqual(roots + standards, self.ids(sort="extractable"))
        self.assertEqual(standards + roots, self.ids(sort="-extractable,id"))
        self.assertEqual(self.beta, self.ids(sort="-state")[0])
        self.assertEqual(self.alpha, self.ids(sort="creationDate")[0])
        self.assertEqual(self.alpha, self.ids(sort="lastRotateDate")[0], "keys without the date come last")

    def test_filter_compares_properties(self):
        self.assertEqual([self.beta], self.ids(filter="state=2"))
        self.assertEqual(sorted([self.gamma, self.delta]), self.ids(filter="extractable=TRUE"))
        self.assertEqual([self.alpha], self.ids(filter=f'creationDate=lt:"{self.middle}"'))
        self.assertEqual(sorted(self.living - {self.alpha}), self.ids(filter=f'creationDate=gte:"{self.middle}"'))
        self.assertEqual(sorted(self.living - {self.alpha}), self.ids(filter="lastRotateDate=none"))
        self.assertEqual([self.beta], self.ids(filter="lastRotateDate=none extractable=false"))
        self.assertEqual([self.gone], self.ids(filter=f'state=5 deletionDate=gte:"{self.middle}"'))

    def test_query_parameters_outside_their_rules_are_refused(self):
        error = self.bad_query("limit", limit=0)
        self.assertIn("Keys could not be retrieved", error["errorMsg"])
        self.assertIn("an integer between 1 and 5000 (inclusive)", error["reasons"][0]["message"])
        self.bad_query("limit", limit=5001)
        self.bad_query("offset", offset=-1)
        self.bad_query("state", state=[6])
        self.bad_query("sort", sort="name")
        self.bad_query("filter", filter='creationDate="2022-03-16"')
        self.bad_query("filter", filter="name=alpha")

    def test_one_condition_may_not_stand_in_the_filter_and_beside_it(self):
        self.refused(400, "INVALID_QUERY_PARAM_ERR", self.kp.get_keys, self.instance, state=[1], filter="state=1")
        self.refused(
            400, "INVALID_QUERY_PARAM_ERR", self.kp.get_keys, self.instance, extractable=True, filter="extractable=true"
        )


if __name__ == "__main__":
    unittest.main()
