"""All settings, from the environment or the file .env; docs/settings.md explains each."""

from contextlib import suppress
from pathlib import Path
from zoneinfo import available_timezones

import environ
from django.templatetags.static import static

from tradelog.apisettings import REST_FRAMEWORK, REST_KNOX, SPECTACULAR_SETTINGS  # noqa: F401
from tradelog.contentsecurity import CONTENT_SECURITY_POLICY  # noqa: F401
from tradelog.secret_key import kept_secret_key
from web.numbers import whole_number

SQLITE = "django.db.backends.sqlite3"
DATABASES_WE_KNOW = (SQLITE, "django.db.backends.postgresql")

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
ENV_FILE = env.str("TRADELOG_ENV_FILE", default=str(BASE_DIR / ".env"))
if ENV_FILE:
    env.read_env(ENV_FILE)

DATA_DIR = Path(env.str("TRADELOG_DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
with suppress(OSError):  # a system check says it
    DATA_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or kept_secret_key(DATA_DIR)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

# --- The trade log

TRADELOG_MAX_FILE_MB = whole_number(env.str("TRADELOG_MAX_FILE_MB", default="1024")) or 0
TRADELOG_MAX_BATCH_LINES = whole_number(env.str("TRADELOG_MAX_BATCH_LINES", default="100000")) or 0
TRADELOG_API_PER_MINUTE = whole_number(env.str("TRADELOG_API_PER_MINUTE", default="600")) or 0
TRADELOG_WRONG_TOKENS_PER_MINUTE = (
    whole_number(env.str("TRADELOG_WRONG_TOKENS_PER_MINUTE", default="10")) or 0
)
TRADELOG_LOGIN_TRIES = whole_number(env.str("TRADELOG_LOGIN_TRIES", default="5")) or 0
TRADELOG_LOGIN_TRIES_PER_ADDRESS = (
    whole_number(env.str("TRADELOG_LOGIN_TRIES_PER_ADDRESS", default="50")) or 0
)
TRADELOG_LOCK_MINUTES = whole_number(env.str("TRADELOG_LOCK_MINUTES", default="15")) or 0
TRADELOG_STAFF_SECOND_FACTOR = env.bool("TRADELOG_STAFF_SECOND_FACTOR", default=False)
TRADELOG_TOKEN_DAYS = whole_number(env.str("TRADELOG_TOKEN_DAYS", default="90")) or 0
TRADELOG_ADMIN_PASSWORD = env.str("TRADELOG_ADMIN_PASSWORD", default="")
# Days; 0 is never, and so is what is no number, which a system check says.
TRADELOG_ARCHIVE_BATCHES_DAYS = whole_number(env.str("TRADELOG_ARCHIVE_BATCHES_DAYS", default="30"))
TRADELOG_DELETE_BATCHES_DAYS = whole_number(env.str("TRADELOG_DELETE_BATCHES_DAYS", default="0"))
TRADELOG_DELETE_NOTICES_DAYS = whole_number(env.str("TRADELOG_DELETE_NOTICES_DAYS", default="90"))
TRADELOG_DELETE_ROW_LOGS_DAYS = whole_number(env.str("TRADELOG_DELETE_ROW_LOGS_DAYS", default="90"))
TRADELOG_DELETE_JOB_LINES_DAYS = whole_number(
    env.str("TRADELOG_DELETE_JOB_LINES_DAYS", default="30")
)
TRADELOG_AUDIT_DAYS = whole_number(env.str("TRADELOG_AUDIT_DAYS", default="0"))
# Addresses of Apprise, parted by blanks. They hold secrets: nothing shows or logs them.
TRADELOG_NOTIFY_URLS = env.str("TRADELOG_NOTIFY_URLS", default="").split()
TRADELOG_NOTIFY_LEVEL = env.str("TRADELOG_NOTIFY_LEVEL", default="info")
TRADELOG_PUBLIC_URL = env.str("TRADELOG_PUBLIC_URL", default="")
# A secret with which a program may read /metrics; empty: only users with the right may.
TRADELOG_METRICS_TOKEN = env.str("TRADELOG_METRICS_TOKEN", default="")
FILES_DIR = DATA_DIR / "files"
TRADELOG_INBOX_DIR = Path(env.str("TRADELOG_INBOX_DIR", default="") or DATA_DIR).resolve()

# --- Where others keep their rows (sources/configured.py)

TRADELOG_SOURCES = {
    "OPEN_ORDERS": {
        "URL": env.str("TRADELOG_OPEN_ORDERS_URL", default="") or "examples/open_orders.csv",
        "QUERY": env.str("TRADELOG_OPEN_ORDERS_QUERY", default=""),
        "COLUMNS": env.str("TRADELOG_OPEN_ORDERS_COLUMNS", default=""),
        "TIMEZONE": env.str("TRADELOG_OPEN_ORDERS_TIMEZONE", default="UTC"),
    },
    "EXECUTIONS": {
        "URL": env.str("TRADELOG_EXECUTIONS_URL", default="examples/executions.csv"),
        "QUERY": env.str("TRADELOG_EXECUTIONS_QUERY", default=""),
        "COLUMNS": env.str("TRADELOG_EXECUTIONS_COLUMNS", default=""),
        "TIMEZONE": env.str("TRADELOG_EXECUTIONS_TIMEZONE", default="UTC"),
    },
}

TRADELOG_OPEN_ORDERS_ALLOW_EMPTY = env.bool("TRADELOG_OPEN_ORDERS_ALLOW_EMPTY", default=False)

# --- The database

DATABASE_URL = env.str("DATABASE_URL", default="")
DATABASES = {"default": {"ENGINE": SQLITE, "NAME": str(DATA_DIR / "tradelog.sqlite3")}}
if DATABASE_URL:
    DATABASES["default"] = env.db_url_config(DATABASE_URL)
if DATABASES["default"].get("ENGINE") not in DATABASES_WE_KNOW:
    DATABASES["default"] = {"ENGINE": "django.db.backends.dummy"}  # a system check says why
if DATABASES["default"]["ENGINE"] == SQLITE:
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        # What a chunk of an import changes stays in memory until it is committed: 32 MB. What
        # several chunks change goes into the file at once: the log beside it has up to 64 MB.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
        "PRAGMA cache_size=-32000; PRAGMA wal_autocheckpoint=16000;",
    }
    # A file, not memory: the tests start processes of their own.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- The queue

# The database by default; in Redis, jobs begin a little sooner and idle workers ask less.
REDIS_URL = env.str("TRADELOG_REDIS_URL", default="")
ONE_WRITER = DATABASES["default"]["ENGINE"] == SQLITE
DEFAULT_WORKERS = "1" if ONE_WRITER else "2"
TRADELOG_WORKERS = whole_number(env.str("TRADELOG_WORKERS", default=DEFAULT_WORKERS)) or 0
# Chosen so that no slow task is run twice: a task's time of retry begins when it is fetched, so few
# are fetched ahead, and the time is far longer than any task may take. System checks watch over it.
Q_CLUSTER = {
    "name": "tradelog",
    "label": "Queue",
    "log_level": "WARNING",
    "workers": max(1, TRADELOG_WORKERS),
    "queue_limit": max(1, TRADELOG_WORKERS),
    "bulk": 1,
    "timeout": 300,
    "retry": 3600,
    "ack_failures": True,
    "max_attempts": 1,
    "save_limit": 250,
    "save_limit_per": "func",
    "catch_up": False,
    "guard_cycle": 1,
    "poll": 0.5,
    "recycle": 100,
} | ({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"})

# --- Django

ROOMS = ["web", "audit", "joblogs", "trades", "orders", "imports", "batches"]
INSTALLED_APPS = [
    "django_q",  # these before us, who take over their pages in the admin
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "tradelog.apps.TradelogConfig",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "axes",
    "servestatic",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    *ROOMS,
]

# Jobs write down what our own rooms log from INFO on; on the console nothing below WARNING.
TRADELOG_LOG_FORMAT = env.str("TRADELOG_LOG_FORMAT", default="text")
TRADELOG_ACCESS_LOG = env.bool("TRADELOG_ACCESS_LOG", default=False)
AS_JSON = TRADELOG_LOG_FORMAT == "json"
ON_CONSOLE = {"class": "logging.StreamHandler", "formatter": "line"}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": f"tradelog.logformat.{'JSON' if AS_JSON else 'Text'}Formatter"}},
    "handlers": {
        "console": ON_CONSOLE | {"level": "WARNING"},
        "access": ON_CONSOLE,
        "none": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {room: {"level": "INFO"} for room in [*ROOMS, "tradelog"]}
    | {
        "tradelog.access": {"level": "INFO", "handlers": ["access"], "propagate": False},
        "django.request": {"level": "ERROR"},  # a page that is not there is no trouble of ours
        "django-q": {"handlers": ["none"]},  # else it makes one of its own, besides that of root
    },
}

MIDDLEWARE = [
    "web.requestids.give_id",
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "tradelog.contentsecurity.set_policy",
    "web.middleware.refuse_nul",
    "web.middleware.refuse_far_numbers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "audit.middleware.remember_who_asks",
    "tradelog.secondfactorpages.lead_staff_there",
    "web.failures.tell_what_is_away",
]

ROOT_URLCONF = "tradelog.urls"
ASGI_APPLICATION = "tradelog.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AUTHENTICATION_BACKENDS = ["tradelog.tries.CountedLogin"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en-us"
# Of naive times in files whose account has no zone of its own, and of the times on the pages.
# A name that is no zone is told by a system check; until then there is UTC.
TRADELOG_TIME_ZONE = env.str("TRADELOG_TIME_ZONE", default="UTC")
TIME_ZONE = TRADELOG_TIME_ZONE if TRADELOG_TIME_ZONE in available_timezones() else "UTC"
USE_I18N = False
FORMAT_MODULE_PATH = ["tradelog.formats"]
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
SERVESTATIC_USE_FINDERS = True

# --- Security

SESSION_COOKIE_HTTPONLY = True
# From the login on, however busy: a stolen cookie ends with it.
TRADELOG_SESSION_HOURS = whole_number(env.str("TRADELOG_SESSION_HOURS", default="24")) or 0
SESSION_COOKIE_AGE = TRADELOG_SESSION_HOURS * 3600
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
X_FRAME_OPTIONS = "DENY"
HTTPS = env.bool("TRADELOG_HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health(/web)?$"]  # who asks stands beside us, and asks without TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
CSRF_FAILURE_VIEW = "web.api.csrf_failed"
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS] if HTTPS else []

if HTTPS:  # no name beside this one can set them, nor anything without TLS
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
# How many web servers in front say in X-Forwarded-For whom they have heard; no others are believed.
TRADELOG_PROXIES = whole_number(env.str("TRADELOG_PROXIES", default="1" if HTTPS else "0"))
# django-axes keeps the count of tries; tradelog/tries.py says what counts, and when.
AXES_HANDLER = "tradelog.tries.CountBefore"
AXES_LOCKOUT_CALLABLE = "tradelog.tries.answer_locked"
AXES_CLIENT_IP_CALLABLE = "web.addresses.home_address"
OTP_TOTP_ISSUER, OTP_TOTP_SYNC = "tradelog", False  # what apps show; phones have the right time
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = AXES_VERBOSE = AXES_ENABLE_ADMIN = False

# --- The shell of the admin

UNFOLD = {
    "SITE_TITLE": "tradelog",
    "SITE_HEADER": "tradelog",
    "SITE_SUBHEADER": "Every line accounted for",
    "SITE_SYMBOL": "receipt_long",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("favicon.svg")}
    ],
    "STYLES": [lambda request: static("tradelog.css")],
    "SCRIPTS": [lambda request: static("tradelog.js")],
    "DASHBOARD_CALLBACK": "tradelog.dashboard.dashboard",
    "ACCOUNT": {"navigation": "tradelog.navigation.account_menu"},
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {
        "navigation": "tradelog.navigation.navigation",
    },
}
