# What a team's infrastructure is made of; what the provider awaits for long is in awaited.tf.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {}

data "aws_caller_identity" "here" {}
# --- S3
resource "aws_s3_bucket" "data" {
  bucket        = "terraform-data"
  force_destroy = true
  tags          = { team = "red" }
}

resource "aws_s3_bucket_versioning" "data" {
  bucket = aws_s3_bucket.data.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_public_access_block" "data" {
  bucket                  = aws_s3_bucket.data.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "data" {
  bucket = aws_s3_bucket.data.id
  rule { object_ownership = "BucketOwnerEnforced" }
}

resource "aws_s3_bucket_policy" "data" {
  bucket = aws_s3_bucket.data.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OwnAccount"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = "${aws_s3_bucket.data.arn}/*"
      Condition = { StringNotEquals = { "aws:PrincipalAccount" = data.aws_caller_identity.here.account_id } }
    }]
  })
}

resource "aws_s3_bucket_cors_configuration" "data" {
  bucket = aws_s3_bucket.data.id
  cors_rule {
    allowed_methods = ["GET", "PUT"]
    allowed_origins = ["https://example.com"]
    allowed_headers = ["*"]
    expose_headers  = ["ETag"]
    max_age_seconds = 300
  }
}

resource "aws_s3_object" "one" {
  bucket  = aws_s3_bucket.data.id
  key     = "folder/one.txt"
  content = "one"
  tags    = { kind = "text" }
}

# --- IAM
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["sagemaker.amazonaws.com", "lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "run" {
  name               = "terraform-run"
  path               = "/team/"
  description        = "of a test"
  assume_role_policy = data.aws_iam_policy_document.trust.json
  tags               = { team = "red" }
}

resource "aws_iam_role_policy" "inline" {
  name   = "inline"
  role   = aws_iam_role.run.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }] })
}

resource "aws_iam_policy" "own" {
  name   = "terraform-own"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "logs:*", Resource = "*" }] })
}

resource "aws_iam_role_policy_attachment" "own" {
  role       = aws_iam_role.run.name
  policy_arn = aws_iam_policy.own.arn
}

resource "aws_iam_role_policy_attachment" "managed" {
  role       = aws_iam_role.run.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
}

resource "aws_iam_instance_profile" "run" {
  name = "terraform-run"
  role = aws_iam_role.run.name
}

resource "aws_iam_user" "ann" {
  name = "terraform-ann"
}

resource "aws_iam_access_key" "ann" {
  user = aws_iam_user.ann.name
}

resource "aws_iam_group" "red" {
  name = "terraform-red"
}

resource "aws_iam_user_group_membership" "ann" {
  user   = aws_iam_user.ann.name
  groups = [aws_iam_group.red.name]
}

# --- KMS, secrets, parameters
resource "aws_kms_key" "own" {
  description             = "of a test"
  deletion_window_in_days = 7
  enable_key_rotation     = true
  tags                    = { team = "red" }
}

resource "aws_kms_alias" "own" {
  name          = "alias/terraform-own"
  target_key_id = aws_kms_key.own.key_id
}

resource "aws_secretsmanager_secret" "password" {
  name                    = "terraform/password"
  kms_key_id              = aws_kms_key.own.arn
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "password" {
  secret_id     = aws_secretsmanager_secret.password.id
  secret_string = jsonencode({ user = "ann", password = "secret" })
}

resource "aws_ssm_parameter" "plain" {
  name  = "/terraform/plain"
  type  = "String"
  value = "one"
  tags  = { team = "red" }
}

resource "aws_ssm_parameter" "secret" {
  name   = "/terraform/secret"
  type   = "SecureString"
  value  = "hidden"
  key_id = aws_kms_alias.own.name
}

# --- messages
resource "aws_sns_topic_subscription" "echo" {
  topic_arn     = aws_sns_topic.news.arn
  protocol      = "lambda"
  endpoint      = aws_lambda_function.echo.arn
  filter_policy = jsonencode({ kind = ["good"] })
}

resource "aws_sns_topic" "news" {
  name = "terraform-news"
}

# --- logs and metrics
resource "aws_cloudwatch_log_group" "app" {
  name              = "/terraform/app"
  retention_in_days = 14
  tags              = { team = "red" }
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "errors"
  log_group_name = aws_cloudwatch_log_group.app.name
  pattern        = "ERROR"
  metric_transformation {
    name          = "Errors"
    namespace     = "Terraform"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "terraform-errors"
  namespace           = "Terraform"
  metric_name         = "Errors"
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 1
  alarm_actions       = [aws_sns_topic.news.arn]
  treat_missing_data  = "notBreaching"
}

resource "aws_cloudwatch_dashboard" "errors" {
  dashboard_name = "terraform"
  dashboard_body = jsonencode({ widgets = [{ type = "text", width = 6, height = 3, x = 0, y = 0, properties = { markdown = "errors" } }] })
}

# --- ECR
resource "aws_ecr_repository" "images" {
  name                 = "terraform/images"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = true
  image_scanning_configuration { scan_on_push = false }
}

resource "aws_ecr_lifecycle_policy" "images" {
  repository = aws_ecr_repository.images.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "few"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 5 }
      action       = { type = "expire" }
    }]
  })
}

# --- Lambda
resource "aws_lambda_function" "echo" {
  function_name    = "terraform-echo"
  role             = aws_iam_role.run.arn
  runtime          = "python3.11"
  handler          = "echo.handler"
  filename         = "${path.module}/echo.zip"
  source_code_hash = filebase64sha256("${path.module}/echo.zip")
  timeout          = 10
  environment { variables = { WORD = "hello" } }
}

resource "aws_lambda_permission" "news" {
  statement_id  = "news"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.echo.function_name
  principal     = "sns.amazonaws.com"
  source_arn    = aws_sns_topic.news.arn
}

# --- SageMaker
resource "aws_s3_object" "model" {
  bucket = aws_s3_bucket.data.id
  key    = "model.tar.gz"
  source = "${path.module}/model.tar.gz"
}

resource "aws_sagemaker_model" "risk" {
  name               = "terraform-risk"
  execution_role_arn = aws_iam_role.run.arn
  primary_container {
    image          = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    model_data_url = "s3://${aws_s3_bucket.data.id}/${aws_s3_object.model.key}"
    environment    = { SAGEMAKER_PROGRAM = "inference.py" }
  }
  tags = { team = "red" }
}

resource "aws_sagemaker_endpoint_configuration" "risk" {
  name = "terraform-risk"
  production_variants {
    variant_name           = "all"
    model_name             = aws_sagemaker_model.risk.name
    initial_instance_count = 1
    instance_type          = "ml.m5.large"
  }
}

resource "aws_sagemaker_endpoint" "risk" {
  name                 = "terraform-risk"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.risk.name
}

resource "aws_sagemaker_model_package_group" "risk" {
  model_package_group_name = "terraform-risk"
}

resource "aws_sagemaker_code_repository" "own" {
  code_repository_name = "terraform-own"
  git_config { repository_url = "https://example.com/own.git" }
}
