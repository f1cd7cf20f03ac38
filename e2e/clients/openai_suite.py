"""What the openai package shows of calls through the gateway, to a provider that says what the model's name asks for."""

import json
import os
import unittest

import openai

from gateway import GATEWAY, another_key, ask, until_known

QUESTION = [{"role": "user", "content": "Who may do what?"}]
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def client(key=os.environ["KEY"], **more):
    return openai.OpenAI(base_url=f"{GATEWAY}/v1", api_key=key, max_retries=0, timeout=20, **more)


class Calls(unittest.TestCase):
    def setUp(self):
        self.client = client()
        self.addCleanup(self.client.close)

    def chat(self, model="words", **more):
        return self.client.chat.completions.create(model=model, messages=QUESTION, **more)

    def test_a_plain_answer(self):
        answer = self.chat()
        self.assertEqual(answer.choices[0].message.content, "Who may do what.")
        self.assertEqual((answer.usage.prompt_tokens, answer.usage.completion_tokens), (7, 4))
        self.assertTrue(answer._request_id.startswith("req_"), answer._request_id)

    def test_a_streamed_answer_has_usage_only_where_it_was_asked_for(self):
        chunks = list(self.chat(stream=True))
        self.assertEqual("".join(chunk.choices[0].delta.content or "" for chunk in chunks), "Who may do what.")
        self.assertTrue(all(chunk.usage is None for chunk in chunks))
        last = list(self.chat(stream=True, stream_options={"include_usage": True}))[-1]
        self.assertEqual((last.choices, last.usage.total_tokens), ([], 11))

    def test_tools_are_called_and_their_results_read(self):
        call = self.chat("tools", tools=[WEATHER]).choices[0].message.tool_calls[0]
        self.assertEqual((call.function.name, json.loads(call.function.arguments)), ("weather", {"city": "Turin"}))
        chunks = list(self.chat("tools", tools=[WEATHER], stream=True))
        deltas = [delta for chunk in chunks for delta in chunk.choices[0].delta.tool_calls or []]
        self.assertEqual(deltas[0].function.name, "weather")
        arguments = "".join(delta.function.arguments or "" for delta in deltas)
        self.assertEqual(json.loads(arguments), {"city": "Turin"})
        said = {"role": "assistant", "tool_calls": [call.model_dump()]}
        result = {"role": "tool", "tool_call_id": call.id, "content": "Rain"}
        messages = [*QUESTION, said, result]
        answer = self.client.chat.completions.create(model="tools", messages=messages, tools=[WEATHER])
        self.assertEqual(answer.choices[0].message.content, "It says: Rain")

    def test_embeddings(self):
        answer = self.client.embeddings.create(model="words", input=["one", "another"])
        self.assertEqual([one.embedding for one in answer.data], [[3.0, 0.5], [7.0, 0.5]])
        self.assertEqual(answer.usage.prompt_tokens, 2)

    def test_the_list_of_models(self):
        names = {model.id for model in self.client.models.list()}
        self.assertLessEqual({"words", "tools"}, names)
        self.assertEqual(self.client.models.retrieve("words").id, "words")

    def test_refusals_of_the_gateway(self):
        with self.assertRaises(openai.NotFoundError) as refused:
            self.chat("dear")
        self.assertEqual((refused.exception.code, refused.exception.param), ("model_not_found", "model"))
        self.assertIn("An admin can approve it", refused.exception.message)
        with self.assertRaises(openai.AuthenticationError) as refused:
            client("gwk_wrong").chat.completions.create(model="words", messages=QUESTION)
        self.assertEqual(refused.exception.code, "invalid_api_key")
        with self.assertRaises(openai.BadRequestError) as refused:
            self.chat(extra_body={"api_base": "http://elsewhere.example"})
        self.assertEqual((refused.exception.code, refused.exception.param), ("field_not_allowed", "api_base"))
        with self.assertRaises(openai.BadRequestError) as refused:
            self.chat("message")
        self.assertEqual(refused.exception.code, "other_api")
        self.assertIn("/v1/messages", refused.exception.message)

    def test_errors_of_the_provider(self):
        with self.assertRaises(openai.RateLimitError) as error:
            self.chat("error-429")
        self.assertEqual((error.exception.code, error.exception.response.headers["retry-after"]), ("scripted", "7"))
        with self.assertRaises(openai.InternalServerError) as error:
            self.chat("error-500")
        self.assertEqual(error.exception.code, "scripted")
        with self.assertRaises(openai.InternalServerError) as error:
            self.chat("error-401")
        self.assertEqual((error.exception.status_code, error.exception.code), (502, "credential_refused"))

    def test_a_caller_that_waits_no_longer(self):
        impatient = self.client.with_options(timeout=0.2)
        with self.assertRaises(openai.APITimeoutError):
            impatient.chat.completions.create(model="silent", messages=QUESTION)

    def test_an_answer_that_breaks_off_is_an_error(self):
        with self.assertRaises(openai.APIConnectionError):
            self.chat("half")
        with self.assertRaises(Exception) as error:
            list(self.chat("half", stream=True))
        self.assertNotIsInstance(error.exception, (StopIteration, json.JSONDecodeError))

    def test_a_key_that_has_used_its_limit(self):
        _, text = another_key(requests_per_minute=1)
        with client(text) as other:
            call = lambda: other.chat.completions.with_raw_response.create(model="words", messages=QUESTION)
            headers = until_known(call, openai.AuthenticationError).headers
            self.assertEqual(headers["x-ratelimit-limit-requests"], "1")
            self.assertEqual(headers["x-ratelimit-remaining-requests"], "0")
            with self.assertRaises(openai.RateLimitError) as refused:
                call()
        self.assertEqual((refused.exception.code, refused.exception.type), ("rate_limit_exceeded", "requests"))
        self.assertIn("Key 'Of a test' has used its limit of 1 requests a minute", refused.exception.message)
        self.assertLessEqual(int(refused.exception.response.headers["retry-after"]), 60)

    def test_a_key_that_is_revoked_ends_its_stream_with_an_error(self):
        key, text = another_key()
        with client(text) as other:
            call = lambda: other.chat.completions.create(model="stall", messages=QUESTION, stream=True)
            stream = until_known(call, openai.AuthenticationError)
            self.assertEqual(next(stream).choices[0].delta.content, "Who ")
            ask("DELETE", f"keys/{key}")
            with self.assertRaises(openai.APIError) as error:
                list(stream)
            self.assertEqual(error.exception.code, "key_revoked")
            with self.assertRaises(openai.AuthenticationError) as error:
                other.models.list()
            self.assertEqual(error.exception.code, "key_revoked")


unittest.main()
