"""The description of the REST interface (OpenAPI), for everybody who is signed in."""

from typing import Any

from flask.typing import ResponseReturnValue
from flask_appbuilder.api import BaseApi, expose
from flask_appbuilder.api.manager import OpenApi

from models.base.errors import NotFound
from views.kit import edge


class DescriptionApi(OpenApi):
    """GET /api/<version>/_openapi; the framework's own would ask for a permission that no role has."""

    title = "接口说明"

    @expose("/<version>/_openapi")
    @edge.rest()
    def get(self, version: str) -> ResponseReturnValue:
        """Every resource of that version.
        ---
        get:
          summary: Description of the interface
          parameters:
          - {in: path, name: version, required: true, schema: {type: string}}
          responses:
            200:
              description: OpenAPI
              content:
                application/json:
                  schema:
                    type: object
            401:
              $ref: '#/components/responses/401'
            404:
              $ref: '#/components/responses/404'
        """
        found = [
            api
            for api in self.appbuilder.baseviews
            if isinstance(api, BaseApi) and api.version == version
        ]
        if not found:
            raise NotFound("没有这个版本的接口")
        spec = self._create_api_spec(version)
        for api in found:
            api.add_api_spec(spec)
        answer: dict[str, Any] = spec.to_dict()
        return answer
