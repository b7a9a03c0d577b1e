"""The addresses of all pages but those of the orders, which stand in orders/urls.py."""

from allauth.account import views as account
from django.contrib import admin
from django.urls import include, path

from accounts.access import needs
from accounts.factors import views as factors
from accounts.invitations import views as invitations
from accounts.roles.views import roles
from accounts.sessions import views as sessions
from accounts.sign_in.views import SignIn, security
from accounts.team import views as people_views
from accounts.views import live, preferences, sample, settings
from catalog import views as catalog
from orders.activity.views import activity, activity_export, broken_chain, verification
from orders.customers import views as register
from orders.handover import views as handover
from orders.limits import views as limits
from orders.placing.picker import picker_services
from orders.reports.balance import balance
from orders.reports.charges import charges
from orders.reports.views import report_export, reports
from orders.saved_reports import views as saved
from orders.selling import views as selling
from orders.teamwork.views import mentions, mentions_read
from orders.webhooks import views as webhooks
from orders.webhooks.endpoint import endpoint
from panel.alarms import views as alarms
from panel.site import components_page, palette, views
from panel.upstream import views as upstream

# The catalog knows nothing of the team, so its views are guarded here.
services = [
    path("", needs("view", rate="money", sort="money")(catalog.index), name="index"),
    path("found/", picker_services, name="found"),
    path("<int:pk>/favourite/", needs("view")(catalog.favourite), name="favourite"),
    path("sync/", upstream.sync, name="sync"),
    path("syncs/", upstream.syncs, name="syncs"),
    path("changes/", needs("view")(catalog.changes), name="changes"),
    path("changes/acceptance/", needs("decide")(catalog.acceptance_of_all), name="acceptance_of_all"),
    path("changes/<int:pk>/decision/", needs("decide")(catalog.decision), name="decision"),
    path("alarms/<int:pk>/acceptance/", needs("decide")(catalog.acceptance), name="acceptance"),
]
# The desk uses these pages of allauth alone: owners add people and their addresses, and allauth sends no mail.
entrance = [
    path("login/", SignIn.as_view(), name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("password/change/", account.password_change, name="account_change_password"),
]
# Names that begin with mfa_ are those by which allauth finds its pages.
entrance += [
    path("login/factor/", factors.second_step, name="mfa_authenticate"),
    path("login/passkey/", factors.passkey_sign_in, name="mfa_login_webauthn"),
    path("factors/", factors.factors, name="factors"),
    path("factors/", factors.factors, name="mfa_deactivate_totp"),  # where allauth leads who has an app already
    path("factors/app/", factors.app, name="mfa_activate_totp"),
    path("factors/passkeys/", factors.passkey, name="mfa_add_webauthn"),
    path("factors/codes/", factors.new_codes, name="factor_codes"),
    path("factors/<int:pk>/removal/", factors.removal, name="factor_removal"),
    path("invitation/", invitations.open_link, name="invitation"),
    path("password/choice/", invitations.choose, name="choose_password"),
]
people = [
    path("", people_views.team, name="team"),
    path("new/", invitations.invite, name="invite"),
    path("<int:pk>/", people_views.person, name="person"),
    path("<int:pk>/role/", people_views.role, name="person_role"),
    path("<int:pk>/state/", people_views.state, name="person_state"),
    path("<int:pk>/details/", people_views.details, name="person_details"),
    path("<int:pk>/links/", invitations.new_link, name="person_links"),
    path("<int:pk>/links/withdrawal/", invitations.withdraw, name="link_withdrawal"),
    path("<int:pk>/factors/reset/", invitations.reset_factor, name="factor_reset"),
]
customers = [
    path("", register.register, name="customers"),
    path("found/", register.found, name="customers_found"),
    path("new/", register.new, name="customer_new"),
    path("<int:pk>/", register.show, name="customer"),
    path("<int:pk>/change/", register.change, name="customer_change"),
    path("<int:pk>/payments/", register.payments, name="customer_payments"),
    path("<int:pk>/file/", register.data_file, name="customer_file"),
    path("<int:pk>/erasure/", register.erasure, name="customer_erasure"),
    path("prices/", selling.prices, name="prices"),
    path("prices/<int:pk>/removal/", selling.removal, name="price_removal"),
    path("prices/lists/", selling.price_lists, name="price_lists"),
]
urlpatterns = [
    path("", views.home, name="home"),
    path("orders/", include("orders.urls")),
    path("services/", include((services, "catalog"))),
    path("customers/", include(customers)),
    path("activity/", activity, name="activity"),
    path("activity/export/", activity_export, name="activity_export"),
    path("activity/chain/", broken_chain, name="broken_chain"),
    path("activity/chain/verification/", verification, name="chain_verification"),
    path("activity/since/", handover.since, name="since"),
    path("activity/since/notes/", handover.notes, name="shift_notes"),
    path("activity/since/notes/<int:pk>/reading/", handover.reading, name="shift_reading"),
    path("activity/since/dealings/", handover.dealings, name="dealings"),
    path("activity/since/handed/", handover.handed_seen, name="handed_seen"),
    path("mentions/", mentions, name="mentions"),
    path("mentions/read/", mentions_read, name="mentions_read"),
    path("reports/", reports, name="reports"),
    path("reports/export/", report_export, name="report_export"),
    path("reports/saved/", saved.saved_reports, name="saved_reports"),
    path("reports/saved/<int:pk>/", saved.saved_report, name="saved_report"),
    path("reports/saved/<int:pk>/mail/", saved.saved_report_mail, name="saved_report_mail"),
    path("reports/saved/<int:pk>/removal/", saved.saved_report_removal, name="saved_report_removal"),
    path("upstream/charges/", charges, name="charges"),
    path("upstream/balance/", balance, name="balance"),
    path("alarms/", alarms.alarms, name="alarms"),
    path("alarms/<int:pk>/sightings/", alarms.sightings, name="alarm_sightings"),
    path("alarms/choices/", alarms.choices, name="alarm_choices"),
    path("alarms/choices/chat/", alarms.chat_choices, name="alarm_chat_choices"),
    path("team/", include(people)),
    path("team/roles/", roles, name="roles"),
    path("team/limits/", limits.desk, name="limits"),
    path("team/<int:pk>/limits/", limits.person, name="person_limits"),
    path("team/security/", security, name="security"),
    path("team/<int:pk>/sessions/", sessions.sessions_of, name="sessions_of"),
    path("team/<int:pk>/sessions/endings/", sessions.endings_of, name="session_endings_of"),
    path("accounts/sessions/", sessions.sessions, name="sessions"),
    path("accounts/sessions/endings/", sessions.endings, name="session_endings"),
    path("accounts/sessions/<int:pk>/ending/", sessions.ending, name="session_ending"),
    path("accounts/preferences/", preferences, name="preferences"),
    path("accounts/preferences/live/", live, name="live"),
    path("accounts/preferences/sample/", sample, name="sample"),
    path("upstream/", upstream.index, name="calls"),
    path("upstream/settings/", settings, name="settings"),
    path("upstream/webhooks/", webhooks.index, name="webhooks"),
    path("upstream/webhooks/rings/", webhooks.test_delivery, name="webhook_rings"),
    path("webhooks/notpanel/", endpoint, name="webhook_door"),
    path("palette/", palette.palette, name="palette"),
    path("keys/", palette.keys, name="keys"),
    path("styleguide/", components_page.components, name="styleguide"),
    path("accounts/", include(entrance)),
    path("admin/", admin.site.urls),
    path("healthz", views.healthz, name="healthz"),
    path("healthz/ready", views.ready, name="ready"),
]

handler400 = views.bad_request
handler403 = views.permission_denied
handler404 = views.page_not_found
handler500 = views.server_error
