"""The API of the templates of batches."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from batches import serializers as shapes
from batches.control import delete_template, save_template
from batches.mapping import StagingError
from batches.models import BatchTemplate
from batches.wishes import Wishes
from web.api import ApiError, ApiView, answers, invalid
from web.apibody import JSONBody
from web.numbers import whole_number

SEE = "batches.view_batchtemplate"
ID = OpenApiParameter("id", str, "path", description="Number of the template.")


def find_template(text: str) -> BatchTemplate:
    found = BatchTemplate.objects.filter(pk=whole_number(text) or 0).first()
    if found is None:
        raise ApiError(404, "TEMPLATE_NOT_FOUND", f"There is no template '{text[:40]}'.")
    return found


def checked(form: shapes.TemplateData) -> dict[str, Any]:
    """The values of a template, if a batch can be made with them."""
    form.is_valid(raise_exception=True)
    values: dict[str, Any] = form.validated_data
    wishes = Wishes(template=BatchTemplate(**values))
    try:
        wishes.mapping()
        wishes.new_batch(values["name"])
    except StagingError as problem:
        raise invalid(template=str(problem)) from None
    return values


def shown(template: BatchTemplate, status: int = 200) -> Response:
    data = shapes.TemplateData(template).data
    return Response({"success": True, "template": data}, status=status)


class Templates(ApiView):
    rights = {"GET": [SEE], "POST": ["batches.add_batchtemplate"]}
    parser_classes = [JSONBody]

    @extend_schema(operation_id="api_batch_templates_list", responses=answers(shapes.TemplateList))
    def get(self, request: Request) -> Response:
        """All templates, by name."""
        found = shapes.TemplateData(BatchTemplate.objects.all(), many=True)
        return Response({"success": True, "templates": found.data})

    @extend_schema(
        request=shapes.TemplateData,
        responses=answers(shapes.TemplateDetail, 400, 413, 415, code=201),
    )
    def post(self, request: Request) -> Response:
        """Make a template."""
        values = checked(shapes.TemplateData(data=request.data))
        return shown(save_template(BatchTemplate(**values, created_by=request.user)), 201)


class Template(ApiView):
    rights = {
        "GET": [SEE],
        "PUT": ["batches.change_batchtemplate"],
        "DELETE": ["batches.delete_batchtemplate"],
    }
    parser_classes = [JSONBody]

    @extend_schema(parameters=[ID], responses=answers(shapes.TemplateDetail, 404))
    def get(self, request: Request, id: str) -> Response:
        """One template."""
        return shown(find_template(id))

    @extend_schema(
        parameters=[ID],
        request=shapes.TemplateData,
        responses=answers(shapes.TemplateDetail, 400, 404, 413, 415),
    )
    def put(self, request: Request, id: str) -> Response:
        """Change a template; batches that were made with it stay as they are."""
        template = find_template(id)
        for name, value in checked(shapes.TemplateData(template, data=request.data)).items():
            setattr(template, name, value)
        return shown(save_template(template))

    @extend_schema(parameters=[ID], responses=answers(shapes.Deleted, 404))
    def delete(self, request: Request, id: str) -> Response:
        """Delete a template; batches that were made with it stay as they are."""
        template = find_template(id)
        delete_template(template)
        return Response({"success": True, "message": f"{template.name} is deleted."})
