"""The service described for machines: OpenAPI 3.1 from the routes, and from it 3.0 and 2.0 for systems that need those.

document   the 3.1 document: routes, answers, and the request from the definition in service
german     the same document with German texts
plain      schemas without what importers stumble over, and the operations that a CRM can call
v30, v20   OpenAPI 3.0 (Salesforce External Services), Swagger 2.0 (Power Platform)
documents  all three, made once for each model and language
command    writes them to files, without a running service
"""

from serving.openapi.document import openapi_document
from serving.openapi.documents import VERSIONS, Documents, Version
from serving.openapi.german import in_language
from serving.openapi.v20 import swagger_2_0
from serving.openapi.v30 import openapi_3_0

__all__ = ["VERSIONS", "Documents", "Version", "in_language", "openapi_3_0", "openapi_document", "swagger_2_0"]
