"""The admin REST, `/api/v1`: everything an operator does."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/v1")
