"""What a token may do of what its user may; knox keeps the token itself."""

from django.db import models

from web.scopes import Scope


class TokenScope(models.Model):
    """A token without one may all that its user may."""

    token = models.OneToOneField(
        "knox.AuthToken", models.CASCADE, primary_key=True, related_name="limit"
    )
    scope = models.CharField(max_length=10, choices=Scope, default=Scope.FULL)

    class Meta:
        db_table = "token_scopes"
        default_permissions = []

    def __str__(self) -> str:
        return self.get_scope_display()
