"""Tokens, with which programs log in: made with one's password, kept as a hash, with an end."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from knox.models import AuthToken
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from audit.models import Deed
from audit.writing import write_down
from tradelog.models import TokenScope
from tradelog.tries import is_fresh
from web.api import ApiError, ApiView, MomentField, answers
from web.scopes import Scope, scope_of

LONGEST = 3650  # days


def tokens_of(user: AbstractBaseUser) -> QuerySet[AuthToken]:
    """The newest first."""
    mine = AuthToken.objects.filter(user=user).select_related("limit")
    return mine.order_by("-created", "pk")


def make(user: AbstractBaseUser, days: int, scope: str) -> tuple[AuthToken, str]:
    """A new token, and its secret, which nothing tells again."""
    with transaction.atomic():
        token, secret = AuthToken.objects.create(user, timedelta(days=days))
        TokenScope.objects.create(token=token, scope=scope)
        write_down(Deed.ADD, token, words=f"for {days} days, {scope}")
    return token, secret


def revoke(token: AuthToken) -> None:
    with transaction.atomic():
        write_down(Deed.DELETE, token)
        token.delete()


class Wanted(serializers.Serializer):
    days = serializers.IntegerField(
        required=False, min_value=1, max_value=LONGEST, help_text="Until it ends."
    )

    scope = serializers.ChoiceField(
        Scope.choices, default=Scope.FULL, help_text="What it may do of what its user may."
    )


class TokenData(serializers.ModelSerializer):
    id = serializers.CharField(source="token_key", help_text="How the token begins.")
    created_at = MomentField(source="created")
    expires_at = MomentField(source="expiry", allow_null=True)
    scope = serializers.SerializerMethodField()

    class Meta:
        model = AuthToken
        fields = ["id", "created_at", "expires_at", "scope"]

    @extend_schema_field(serializers.ChoiceField(Scope.choices))
    def get_scope(self, token: AuthToken) -> str:
        return scope_of(token)


class TokenList(serializers.Serializer):
    success = serializers.BooleanField()
    tokens = TokenData(many=True)


class NewToken(TokenData):
    success = serializers.BooleanField(default=True)
    token = serializers.CharField(help_text="Shown this once.")

    class Meta(TokenData.Meta):
        fields = ["success", "token", *TokenData.Meta.fields]


class Revoked(serializers.Serializer):
    success = serializers.BooleanField()
    message = serializers.CharField()


class Tokens(ApiView):
    """One's own; everybody may have some, and none may do more than its owner."""

    @extend_schema(responses=answers(TokenList))
    def get(self, request: Request) -> Response:
        """One's tokens, the newest first; never the secrets themselves."""
        mine = TokenData(tokens_of(request.user), many=True)
        return Response({"success": True, "tokens": mine.data})

    @extend_schema(request=Wanted, responses=answers(NewToken, 400, 413, 415, code=201))
    def post(self, request: Request) -> Response:
        """Make a token. Not by a token or an old session: a stolen one must not outlive itself."""
        by_session = isinstance(request.successful_authenticator, SessionAuthentication)
        if isinstance(request.auth, AuthToken) or (by_session and not is_fresh(request)):
            raise ApiError(403, "PASSWORD_REQUIRED", "Log in by password to make a token.")
        wanted = Wanted(data=request.data)
        wanted.is_valid(raise_exception=True)
        days = wanted.validated_data.get("days", settings.TRADELOG_TOKEN_DAYS)
        token, secret = make(request.user, days, wanted.validated_data["scope"])
        answer = {"success": True, "token": secret, **TokenData(token).data}
        return Response(answer, status=201)


class Token(ApiView):
    @extend_schema(
        parameters=[OpenApiParameter("id", str, "path")], responses=answers(Revoked, 404)
    )
    def delete(self, request: Request, id: str) -> Response:
        """Revoke one of one's tokens."""
        token = tokens_of(request.user).filter(token_key=id).first()
        if token is None:
            raise ApiError(404, "TOKEN_NOT_FOUND", "You have no such token.")
        revoke(token)
        return Response({"success": True, "message": "The token is revoked."})
