using System.Net;
using ClaimCheck.Testing;

namespace ClaimCheck.Aws.Tests;

/// <summary>Against a server that behaves as AWS does on a bad day.</summary>
public sealed class Answers_that_fail
{
    private const string Topic = "arn:aws:sns:eu-central-1:123456789012:events";
    private const string Queue = "https://sqs.eu-central-1.amazonaws.com/123456789012/billing";

    public static TheoryData<int, string> Throttles => new()
    {
        { 400, "Throttling" }, { 400, "ThrottlingException" }, { 400, "RequestThrottled" }, { 400, "Throttled" },
        { 403, "Throttled" },
        { 400, "KmsThrottled" }, { 400, "KMSThrottling" }, { 429, "AnythingElse" }, { 503, "Throttling" }, { 400, "OverLimit" },
    };

    [Theory]
    [MemberData(nameof(Throttles))]
    public async Task A_throttle_is_waited_out(int status, string code)
    {
        await using var server = await ScriptedEndpoint.StartAsync(
            Answers.SqsError(status, code), Answers.Json(Answers.Received));
        using var sqs = server.Sqs();

        Assert.Equal("hello", Assert.Single(await sqs.ReceiveAsync(Queue)).Body);

        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task A_throttle_that_does_not_end_is_told_after_so_many_tries()
    {
        await using var server = await ScriptedEndpoint.StartAsync(Answers.SnsError(400, "Throttled"));
        using var sns = server.Sns(maxAttempts: 3);

        var failure = await Assert.ThrowsAsync<AwsMessagingException>(
            () => sns.PublishAsync(Topic, new OutgoingMessage("hello")));

        Assert.Equal((AwsFailure.Throttled, "Throttled", true, HttpStatusCode.BadRequest, "r-42"),
            (failure.Kind, failure.Code, failure.IsTransient, failure.StatusCode, failure.RequestId));
        Assert.Equal(3, server.Requests.Count);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task A_proxys_error_page_is_an_outage(int status)
    {
        await using var server = await ScriptedEndpoint.StartAsync(Answers.Xml("<html><body>Bad Gateway", status));
        using var sns = server.Sns(maxAttempts: 2);
        using var sqs = server.Sqs(maxAttempts: 2);

        var fromSns = await Assert.ThrowsAsync<AwsMessagingException>(() => sns.GetTopicAttributesAsync(Topic));
        var fromSqs = await Assert.ThrowsAsync<AwsMessagingException>(() => sqs.GetQueueUrlAsync("billing"));

        Assert.All([fromSns, fromSqs], failure => Assert.Equal(
            (AwsFailure.Unavailable, $"HTTP {status}", true), (failure.Kind, failure.Code, failure.IsTransient)));
        Assert.Equal(4, server.Requests.Count);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_not_followed(int status)
    {
        await using var elsewhere = await ScriptedEndpoint.StartAsync(Answers.Xml(Answers.Published));
        await using var server = await ScriptedEndpoint.StartAsync(
            Answers.Xml("", status, ("Location", elsewhere.Url.ToString())));
        using var sns = server.Sns();

        var failure = await Assert.ThrowsAsync<AwsMessagingException>(
            () => sns.PublishAsync(Topic, new OutgoingMessage("hello")));

        Assert.Equal((AwsFailure.Invalid, false), (failure.Kind, failure.IsTransient));
        Assert.Empty(elsewhere.Requests);
    }

    [Theory]
    [InlineData(400, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue;Sender", AwsFailure.NotFound, false)]
    [InlineData(400, "InvalidAttributeValue", null, AwsFailure.Invalid, false)]
    [InlineData(403, "AccessDeniedException", null, AwsFailure.AccessDenied, false)]
    [InlineData(400, "KmsAccessDenied", "KMS.AccessDeniedException;Sender", AwsFailure.AccessDenied, false)]
    [InlineData(403, "ExpiredTokenException", null, AwsFailure.CredentialsExpired, true)]
    [InlineData(403, "InvalidClientTokenId", null, AwsFailure.CredentialsRejected, false)]
    [InlineData(400, "UnknownType", "RequestThrottled;Sender", AwsFailure.Throttled, true)]
    [InlineData(403, "WhatNobodyKnows", null, AwsFailure.AccessDenied, false)]
    public async Task Errors_of_queues_are_told_apart(
        int status, string type, string? queryError, AwsFailure kind, bool isTransient)
    {
        await using var server = await ScriptedEndpoint.StartAsync(Answers.SqsError(status, type, queryError: queryError));
        using var sqs = server.Sqs(maxAttempts: 2);

        var failure = await Assert.ThrowsAsync<AwsMessagingException>(() => sqs.AttributesAsync(Queue));

        // The code of the header, where there is one: the SDK keeps to what older clients see.
        Assert.Equal((kind, queryError?.Split(';')[0].Split('.')[^1] ?? type, isTransient, (HttpStatusCode)status, "r-42"),
            (failure.Kind, failure.Code.Split('.')[^1], failure.IsTransient, failure.StatusCode, failure.RequestId));
        Assert.Contains("GetQueueAttributes on billing", failure.Message, StringComparison.Ordinal);
        Assert.Equal(kind == AwsFailure.Throttled ? 2 : 1, server.Requests.Count);
    }

    [Theory]
    [InlineData(404, "NotFound", AwsFailure.NotFound, false)]
    [InlineData(400, "InvalidParameter", AwsFailure.Invalid, false)]
    [InlineData(403, "AuthorizationError", AwsFailure.AccessDenied, false)]
    [InlineData(403, "ExpiredToken", AwsFailure.CredentialsExpired, true)]
    [InlineData(500, "InternalError", AwsFailure.Unavailable, true)]
    public async Task Errors_of_topics_are_told_apart(int status, string code, AwsFailure kind, bool isTransient)
    {
        await using var server = await ScriptedEndpoint.StartAsync(Answers.SnsError(status, code));
        using var sns = server.Sns(maxAttempts: 1);

        var failure = await Assert.ThrowsAsync<AwsMessagingException>(() => sns.GetTopicAttributesAsync(Topic));

        Assert.Equal((kind, code, isTransient, (HttpStatusCode)status, "r-42"),
            (failure.Kind, failure.Code, failure.IsTransient, failure.StatusCode, failure.RequestId));
    }

    [Fact]
    public async Task An_error_code_in_the_header_alone_is_understood()
    {
        await using var server = await ScriptedEndpoint.StartAsync(
            Answers.Json("", 400, ("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender")));
        using var sqs = server.Sqs();

        var failure = await Assert.ThrowsAsync<AwsMessagingException>(() => sqs.GetQueueUrlAsync("billing"));

        Assert.Equal((AwsFailure.NotFound, "NonExistentQueue"), (failure.Kind, failure.Code));
    }
}
