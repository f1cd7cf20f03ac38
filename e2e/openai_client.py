"""Calls the gateway as any program does that uses the openai package: one plain and one streamed call.

Reads OPENAI_BASE_URL, OPENAI_API_KEY and MODEL. Prints one JSON object: what was said, or how it was refused.
"""

import json
import os

import openai


def ask(client, **more):
    messages = [{"role": "user", "content": "What is an access list for?"}]
    return client.chat.completions.create(model=os.environ["MODEL"], messages=messages, **more)


def main():
    client = openai.OpenAI(max_retries=0, timeout=20)
    try:
        plain = ask(client)
        chunks = [chunk for chunk in ask(client, stream=True) if chunk.choices]
    except openai.APIStatusError as refused:
        return {"refused": {"status": refused.status_code, "code": refused.code, "message": refused.message}}
    said = [chunk.choices[0].delta.content or "" for chunk in chunks]
    return {
        "models": [model.id for model in client.models.list()],
        "plain": plain.choices[0].message.content,
        "tokens": plain.usage.total_tokens,
        "streamed": "".join(said),
        "chunks": len(chunks),
    }


print(json.dumps(main()))
