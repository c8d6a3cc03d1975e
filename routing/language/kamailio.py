"""What to write in place of Kamailio's functions: hints for people who come from there."""

from __future__ import annotations

_HINTS = {
    "the server does this by itself": """
        t_check_trans t_precheck_trans t_newtran sanity_check force_rport consume_credentials fix_nated_register""",
    "this version has nothing like it": """
        rtpengine_manage rtpproxy_manage get_profile_size uac_auth m_store handle_publish handle_subscribe""",
    "a Python function of your own, named in [functions] of the configuration, can do it": """
        http_client_query sql_query ldap_search exec_msg""",
    "write `relay()`": "t_relay forward",
    'write `relay("sip:...")`': "t_relay_to_udp",
    "the server does this by itself; `request.max_forwards` tells how many hops are left": "mf_process_maxfwd_header",
    "requests inside a call find their way by themselves; `on dialog { }` sees them first": "has_totag",
    'write `request.method == "INVITE"` or `request.method in ["INVITE", "SUBSCRIBE"]`': "is_method",
    "write `reply(404)`": "sl_send_reply send_reply t_reply",
    "write `let phones = lookup(request.uri)` and ask `phones.empty`": "registered",
    "write `exists(request.uri)`": "is_subscriber does_uri_exist",
    "write `authenticate(as: to)`; it challenges by itself": "www_authorize www_challenge",
    "write `authenticate(as: from)`; it challenges by itself": """
        proxy_authorize proxy_challenge auth_check auth_challenge""",
    "write `from.domain in domains`": "is_from_local",
    "write `source.ip in lists.NAME`; the list stands in [lists] of the configuration": """
        allow_source_address allow_address ds_is_from_list""",
    "write `for gateway in [...] { ring(gateway, progress: 6s) }`": "ds_select_dst ds_next_dst",
    "write `ring(..., for: 20s, progress: 6s)`": "t_set_fr",
    'write `ring(..., order: "by q")`': "t_load_contacts t_next_contacts",
    "write `outcome.code == 486` behind `ring(...)`": "t_check_status",
    "write `ring(..., redirects: 3)`, or go through `outcome.contacts`": "get_redirects",
    "give `ring` a list of targets": "append_branch",
    "write what is to be done on the lines behind `ring(...)`": "t_on_failure",
    "write `ring(..., edit: NAME)`": "t_on_branch",
    "write `ring(..., replies: NAME)`": "t_on_reply",
    "write `limit(30/s, per: source.ip)`": "pike_check_req",
    'write `limit(100/s, per: "a name")`': "rl_check pl_check",
    'write `request.header["X-A"] = "7"`': "append_hf insert_hf",
    'write `remove(request.header["X-A"])`; `*` in a name stands for anything': "remove_hf remove_hf_re",
    'write `replace(request.uri.user, /^0/, "+44")`': "subst subst_user",
    'write `request.uri.user = "+44" + request.uri.user`': "prefix",
    "write `match request.uri.user { ... }`": "dp_translate",
    "write `enum(request.uri.user)`": "enum_query",
    'write `branch.identity = "sip:..."` in a `branch` function': "append_rpid_hf",
    "write `log(...)`": "xlog xinfo",
    'write `request.header["Contact"] = ...`; inside calls in `on dialog { }`': """
        fix_nated_contact set_contact_alias add_contact_alias""",
    'write `request.header["Contact"] matches /.../`': "nat_uac_test",
    "calls are known by themselves; write `call.name = ...`": "dlg_manage dlg_get_var",
}

KAMAILIO = {name: hint for hint, names in _HINTS.items() for name in names.split()}
"""The hint for each function."""
