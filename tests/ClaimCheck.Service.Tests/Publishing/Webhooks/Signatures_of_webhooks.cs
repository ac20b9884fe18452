using System.Text;
using ClaimCheck.Contracts;

namespace ClaimCheck.Service.Tests.Publishing.Webhooks;

[Trait("needs", "nothing")]
public sealed class Signatures_of_webhooks
{
    // The worked example of https://github.com/standard-webhooks/standard-webhooks.
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string Id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private const string Timestamp = "1614265330";
    private const string Signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    private static readonly byte[] Body = Encoding.UTF8.GetBytes("""{"test": 2432232314}""");
    private static readonly DateTimeOffset At = DateTimeOffset.FromUnixTimeSeconds(1614265330);

    [Fact]
    public void The_published_example_is_signed_as_published() =>
        Assert.Equal(Signature, WebhookSignature.Sign(Secret, Id, At, Body));

    [Theory]
    [InlineData(Signature)]
    [InlineData($"v1,bm90IGl0 {Signature}")]
    [InlineData($"{Signature} v1a,bm90IGl0")]
    [InlineData($"v1, v2,x garbage {Signature}")]
    public void One_signature_that_fits_is_enough(string signatures) => Assert.True(Verify(signatures));

    [Theory]
    [InlineData("")]
    [InlineData("v1,")]
    [InlineData("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")]
    [InlineData("v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")]
    [InlineData("V1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")]
    [InlineData("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=")]
    [InlineData("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=AAAA")]
    [InlineData("v1,g0hM9SsE+OTPJTGt")]
    public void What_does_not_fit_does_not_pass(string signatures) => Assert.False(Verify(signatures));

    [Fact]
    public void Id_timestamp_body_and_secret_are_signed()
    {
        Assert.False(Verify(Signature, id: "msg_other"));
        Assert.False(Verify(Signature, id: null));
        Assert.False(Verify(Signature, timestamp: "1614265331"));
        Assert.False(Verify(Signature, timestamp: "+1614265330"));
        Assert.False(Verify(Signature, timestamp: null));
        Assert.False(WebhookSignature.Verify([Secret], Id, Timestamp, Signature, [.. Body, 32], At));
        Assert.False(WebhookSignature.Verify([WebhookSignature.NewSecret()], Id, Timestamp, Signature, Body, At));
        Assert.False(WebhookSignature.Verify(["whsec_short", "no secret"], Id, Timestamp, Signature, Body, At));
        Assert.False(WebhookSignature.Verify([], Id, Timestamp, Signature, Body, At));
        Assert.True(WebhookSignature.Verify([WebhookSignature.NewSecret(), Secret], Id, Timestamp, Signature, Body, At));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(300, true)]
    [InlineData(-300, true)]
    [InlineData(301, false)]
    [InlineData(-301, false)]
    public void A_replay_passes_for_five_minutes_alone(int later, bool passes) =>
        Assert.Equal(passes, WebhookSignature.Verify([Secret], Id, Timestamp, Signature, Body, At.AddSeconds(later)));

    [Fact]
    public void A_new_secret_is_one_and_no_other_text_is()
    {
        var secret = WebhookSignature.NewSecret();
        Assert.True(WebhookSignature.IsSecret(secret));
        Assert.NotEqual(secret, WebhookSignature.NewSecret());
        Assert.True(WebhookSignature.Verify([secret], Id, Timestamp, WebhookSignature.Sign(secret, Id, At, Body), Body, At));
        foreach (var none in new[] { null, "", "whsec_", "whsec_AAAA", secret[6..], "whsec_!" + secret[7..], "whsec_"
            + Convert.ToBase64String(new byte[65]) })
            Assert.False(WebhookSignature.IsSecret(none));
        Assert.Throws<ArgumentException>(() => WebhookSignature.Sign("whsec_AAAA", Id, At, Body));
    }

    private static bool Verify(string signatures, string? id = Id, string? timestamp = Timestamp) =>
        WebhookSignature.Verify([Secret], id, timestamp, signatures, Body, At);
}
