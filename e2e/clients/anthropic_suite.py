"""What the anthropic package shows of calls through the gateway, to a provider that says what the model's name asks for."""

import json
import os
import unittest

import anthropic

from gateway import GATEWAY, another_key, ask, until_known

QUESTION = [{"role": "user", "content": "Who may do what?"}]
WEATHER = {"name": "weather", "input_schema": {"type": "object"}}


def client(key=os.environ["KEY"], **more):
    return anthropic.Anthropic(base_url=GATEWAY, api_key=key, max_retries=0, timeout=20, **more)


def code(error):
    return error.exception.body["error"]["code"]


class Calls(unittest.TestCase):
    def setUp(self):
        self.client = client()
        self.addCleanup(self.client.close)

    def message(self, model="message", **more):
        return self.client.messages.create(model=model, max_tokens=64, messages=QUESTION, **more)

    def test_a_plain_answer(self):
        answer = self.message()
        self.assertEqual((answer.content[0].text, answer.stop_reason), ("Who may do what.", "end_turn"))
        self.assertEqual((answer.usage.input_tokens, answer.usage.output_tokens), (7, 4))
        self.assertTrue(answer._request_id.startswith("req_"), answer._request_id)

    def test_a_bearer_token_is_as_good(self):
        with anthropic.Anthropic(base_url=GATEWAY, auth_token=os.environ["KEY"], api_key=None, max_retries=0) as bearer:
            answer = bearer.messages.create(model="message", max_tokens=64, messages=QUESTION)
        self.assertEqual(answer.content[0].text, "Who may do what.")

    def test_a_streamed_answer(self):
        with self.client.messages.stream(model="message", max_tokens=64, messages=QUESTION) as stream:
            self.assertEqual("".join(stream.text_stream), "Who may do what.")
            answer = stream.get_final_message()
        self.assertEqual((answer.usage.input_tokens, answer.usage.output_tokens), (7, 4))
        self.assertEqual(answer.stop_reason, "end_turn")

    def test_tools_are_called_and_their_results_read(self):
        call = self.message("message-tools", tools=[WEATHER]).content[0]
        self.assertEqual((call.type, call.name, call.input), ("tool_use", "weather", {"city": "Turin"}))
        streamed = self.client.messages.stream(model="message-tools", max_tokens=64, messages=QUESTION, tools=[WEATHER])
        with streamed as stream:
            self.assertEqual(stream.get_final_message().content[0].input, {"city": "Turin"})
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "Rain"}
        said = {"role": "assistant", "content": [call.model_dump(exclude_none=True)]}
        messages = [*QUESTION, said, {"role": "user", "content": [result]}]
        answer = self.client.messages.create(model="message-tools", max_tokens=64, messages=messages, tools=[WEATHER])
        self.assertEqual(answer.content[0].text, "It says: Rain")

    def test_tokens_are_counted_ahead(self):
        self.assertEqual(self.client.messages.count_tokens(model="message", messages=QUESTION).input_tokens, 7)

    def test_refusals_of_the_gateway(self):
        with self.assertRaises(anthropic.NotFoundError) as refused:
            self.message("dear")
        self.assertEqual((code(refused), refused.exception.body["error"]["type"]), ("model_not_found", "not_found_error"))
        self.assertIn("An admin can approve it", str(refused.exception))
        self.assertEqual(refused.exception.request_id, refused.exception.body["request_id"])
        with self.assertRaises(anthropic.AuthenticationError) as refused:
            client("gwk_wrong").messages.create(model="message", max_tokens=64, messages=QUESTION)
        self.assertEqual(code(refused), "invalid_api_key")
        with self.assertRaises(anthropic.BadRequestError) as refused:
            self.message(extra_body={"mcp_servers": [{"type": "url", "url": "https://elsewhere.example"}]})
        self.assertEqual(code(refused), "field_not_allowed")
        with self.assertRaises(anthropic.BadRequestError) as refused:
            self.message("words")
        self.assertEqual(code(refused), "other_api")
        self.assertIn("/v1/chat/completions", str(refused.exception))

    def test_errors_of_the_provider(self):
        with self.assertRaises(anthropic.RateLimitError) as error:
            self.message("message-error-429")
        self.assertEqual(error.exception.body["error"]["type"], "rate_limit_error")
        self.assertEqual(error.exception.response.headers["retry-after"], "7")
        with self.assertRaises(anthropic.InternalServerError) as error:
            self.message("message-error-401")
        self.assertEqual((error.exception.status_code, code(error)), (502, "credential_refused"))

    def test_a_caller_that_waits_no_longer(self):
        impatient = self.client.with_options(timeout=0.2)
        with self.assertRaises(anthropic.APITimeoutError):
            impatient.messages.create(model="message-silent", max_tokens=64, messages=QUESTION)

    def test_an_answer_that_breaks_off_is_an_error(self):
        with self.assertRaises(anthropic.APIConnectionError):
            self.message("message-half")
        with self.assertRaises(Exception) as error:
            list(self.message("message-half", stream=True))
        self.assertNotIsInstance(error.exception, (StopIteration, json.JSONDecodeError))

    def test_a_key_that_has_used_its_limit(self):
        _, text = another_key(requests_per_minute=1)
        with client(text) as other:
            call = lambda: other.messages.create(model="message", max_tokens=64, messages=QUESTION)
            until_known(call, anthropic.AuthenticationError)
            with self.assertRaises(anthropic.RateLimitError) as refused:
                call()
        self.assertEqual(code(refused), "rate_limit_exceeded")
        self.assertEqual(refused.exception.body["error"]["type"], "rate_limit_error")
        self.assertIn("retry-after", refused.exception.response.headers)

    def test_a_key_that_is_revoked_ends_its_stream_with_an_error(self):
        key, text = another_key()
        with client(text) as other:
            call = lambda: other.messages.create(model="message-stall", max_tokens=64, messages=QUESTION, stream=True)
            stream = until_known(call, anthropic.AuthenticationError)
            self.assertEqual(next(stream).type, "message_start")
            ask("DELETE", f"keys/{key}")
            with self.assertRaises(anthropic.APIStatusError) as error:
                list(stream)
            self.assertEqual(code(error), "key_revoked")


unittest.main()
